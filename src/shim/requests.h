/* What each frame asks for, and what is told: the fields are in docs/shim.md, and in src/shim/client/frames.ts for the other end. */
#ifndef TALLY_REQUESTS_H
#define TALLY_REQUESTS_H

#include "children.h"
#include "frames.h"
#include "streams.h"

/* @param is_stranger it came over the listening socket: little is for everybody */
void request_handle(struct frame *, struct buffer *out, bool is_stranger);
void put_ok(struct buffer *, uint32_t request);
/* @param failed errno */
void put_error(struct buffer *, uint32_t request, int failed);
void put_hello(struct buffer *, uint32_t reasons);
void put_child(struct buffer *, const struct child *);
void put_exit(struct buffer *, const struct child *);
void put_stdio(struct buffer *, const struct stdio *);
/* One thing that has come about. @returns whether there was any */
bool put_news(struct buffer *, struct stdio *);

/* Another image has been asked for: nothing more is heard before that. */
bool upgrade_is_due(void);

#endif
