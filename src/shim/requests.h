/* What each frame asks for: the fields are in docs/shim.md, and in src/shim/client/frames.ts for the other end. */
#ifndef TALLY_REQUESTS_H
#define TALLY_REQUESTS_H

#include "frames.h"

/* @param is_stranger it came over the listening socket: little is for everybody */
void request_handle(struct frame *, struct buffer *out, bool is_stranger);

#endif
