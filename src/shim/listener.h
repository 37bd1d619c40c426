/*
 * The socket (0600), in a directory that is locked: there is one shim for it. It has its name as long as somebody can connect to it.
 */
#ifndef TALLY_LISTENER_H
#define TALLY_LISTENER_H

#include <stdint.h>

/* Moves there, if it listens already. Idempotent. @returns 0 or -errno; -EADDRINUSE when another shim has the directory */
int listener_open(const char *path);
/* Puts the socket back, if somebody has removed it. */
void listener_reopen(void);
void listener_run(uint64_t now);
/* When it is tried again to accept somebody (boottime, ns). */
uint64_t listener_due(void);
/* Nobody finds it any more; who came too late is not answered, and knows by that. */
void listener_end(void);
/* Over execve. Connections are closed: who asks, asks again. */
struct carrier;
void listener_carry(struct carrier *);
void listener_fds(void (*use)(int fd));

#endif
