/* What is in memory, in frames, on its way from one image to the next. */
#ifndef TALLY_STATE_H
#define TALLY_STATE_H

#include "children.h"
#include "frames.h"
#include "streams.h"
#include "supervisor.h"

/*
 * What goes from one image to the other, in the same order on either side: each field is named once. They are of the same machine, so
 * numbers are as they are in memory. MUST hold: what a newer image reads of an older one's state is what STATE_VERSION says.
 */
struct carrier {
  /* One of the two. */
  struct buffer *to;
  struct fields *from;
};

#define carry(carrier, value) carry_value(carrier, &(value), sizeof(value))
void carry_value(struct carrier *, void *value, size_t size);
/* Allocated where it arrives. */
void carry_text(struct carrier *, char **text);
/* At most so many. */
void carry_bytes(struct carrier *, uint8_t *bytes, size_t *count, size_t most);

/* The supervisor, the link and the socket. */
void carry_shim(struct carrier *);
/* @param pidfd of a stranger; -1 */
void carry_child(struct carrier *, struct child *, int *pidfd);
void carry_stdio(struct carrier *, struct stdio *);

#endif
