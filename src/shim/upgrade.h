/*
 * Another image of this program in the same process, by execve: pid, children, descriptors and the supervisor stay. What is in memory goes
 * by a memfd, in frames of the same kind. Whoever asks for it makes sure before that the other image reads this state (`--version`).
 */
#ifndef TALLY_UPGRADE_H
#define TALLY_UPGRADE_H

#include "frames.h"

/* It is done by `upgrade_run`, when nothing else is under way. @returns 0 or -errno */
int upgrade_ask(const char *path, uint32_t request);
/* Does not return, unless it fails: then all is as before. */
void upgrade_run(void);
/* The supervisor that has asked for it has ended. */
void upgrade_forget_request(void);
/* In the new image. @returns 0 or -errno */
int upgrade_resume(int state);

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

#endif
