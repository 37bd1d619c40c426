/*
 * Whoever has connected to the socket: anybody of the same user says WAKE and asks STATUS, whether the supervisor is there or not. Who asks
 * STATUS to follow is told of each change, with the same request number.
 */
#ifndef TALLY_CONTROL_H
#define TALLY_CONTROL_H

/* Where the socket is; empty while there is none. */
const char *control_path(void);
/* @returns 0, or -ENOMEM: then it is closed */
int control_take(int fd);
/* Hears what was left, and tells who follows. */
void control_pump(void);
/* Another image was asked for, and there is none. */
void control_tell_error(int failed);

#endif
