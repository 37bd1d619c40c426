/* A FIFO in a directory, which is there before the process that uses it and after it. */
#ifndef TALLY_FIFO_H
#define TALLY_FIFO_H

#include <stddef.h>

#include "streams.h"

/* One that exists is left as it is: something may wait in it. @param spool removed with one that is made anew. @returns its descriptor or -errno */
int fifo_open(const struct stdio_options *, const char *name, const char *spool);
size_t bytes_in(int pipe);

#endif
