/*
 * A socket in the run directory (0600), on which anybody of the same user says WAKE and asks STATUS, whether the supervisor is there or
 * not. Who asks STATUS to follow is told of each change, with the same request number. The directory is locked: there is one shim for it.
 */
#ifndef TALLY_CONTROL_H
#define TALLY_CONTROL_H

#include "frames.h"

/* Moves there, if it listens already. Idempotent. @returns 0 or -errno; -EADDRINUSE when another shim has the directory */
int control_listen(const char *path);
/* Puts the socket back, if somebody has removed it. */
void control_relisten(void);
const char *control_path(void);
/* Hears what was left, and tells who follows. */
void control_pump(void);
/* When it has something to do without being asked (boottime, ns). */
uint64_t control_due(void);
/* Another image was asked for, and there is none. */
void control_tell_error(int failed);
/* Nobody finds it any more; who came too late is not answered, and knows by that. */
void control_end(void);
/* Over execve. Connections are closed: who asks, asks again. */
struct carrier;
void control_carry(struct carrier *);
void control_fds(void (*use)(int fd));

#endif
