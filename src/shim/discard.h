/* Output that nobody wants any more, of a process that was left behind: it is read, so that nothing blocks, and forgotten. */
#ifndef TALLY_DISCARD_H
#define TALLY_DISCARD_H

#include "streams.h"

/* @returns whether there is anything to be read */
bool discard_begin(struct stream *);
void discard_wait(struct stream *);
/* Forgets one piece; with the last writer goes the stream, and with the last of them its stdio. */
void discard_piece(struct stream *);

#endif
