/* What is told, and what is answered: the fields are in docs/shim.md, and in src/shim/client/frames.ts for the other end. */
#ifndef TALLY_MESSAGES_H
#define TALLY_MESSAGES_H

#include "children.h"
#include "frames.h"
#include "streams.h"

/* A reply to which fields are added; nothing is said to whoever wants no answer. */
size_t ok_begin(struct buffer *, uint32_t request);
void ok_end(struct buffer *, size_t begin, uint32_t request);
void put_ok(struct buffer *, uint32_t request);
/* @param failed errno */
void put_error(struct buffer *, uint32_t request, int failed);
void put_hello(struct buffer *, uint32_t reasons);
void put_child(struct buffer *, const struct child *);
void put_exit(struct buffer *, const struct child *);
void put_counts(struct buffer *, const struct stdio *);
void put_stdio(struct buffer *, const struct stdio *);
/* Each puts one thing, if it has come about. @returns whether it has */
bool put_input_answer(struct buffer *, struct stdio *);
bool put_drain_answer(struct buffer *, struct stdio *);
/* One of those, or that the log has grown. */
bool put_news(struct buffer *, struct stdio *);

#endif
