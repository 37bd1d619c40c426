/* Input of a process: through a FIFO of which the shim holds an end, or the master of its terminal. One piece at a time waits for the kernel. */
#ifndef TALLY_INPUT_H
#define TALLY_INPUT_H

#include "streams.h"

int input_open(struct stdio *, const struct stdio_options *);
/* Tries again what the kernel did not take. */
void input_resume(struct stdio *);
/* No more of it: at the end, or since nobody reads (errno). A terminal goes on for output. */
void input_end(struct stdio *, int failed);
void input_close(struct stdio *);
void input_ready(struct source *, uint32_t events);

#endif
