/*
 * The socket between the shim and its supervisor. MUST hold: a supervisor that does not read, or hangs in the middle of a frame, stops
 * nothing; achieved by a buffer of a fixed size, and by keeping no list of what is to be said: each thing knows whether it has been told.
 */
#ifndef TALLY_LINK_H
#define TALLY_LINK_H

#include "frames.h"

void link_begin(int fd, uint32_t reasons);
/* It has died: what it had sent is still handled. */
void link_end(void);
/* Says what is to be said, and hears what is to be heard, as far as there is room. */
void link_pump(void);
/* Over execve. */
struct carrier;
void link_carry(struct carrier *);
int link_fd(void);
/* The answer to a request that was put off. */
void link_tell_ok(uint32_t request);
void link_tell_error(uint32_t request, int failed);
void link_trim(void);

#endif
