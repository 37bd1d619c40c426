/*
 * Another image of this program in the same process, by execve: pid, children, descriptors and the supervisor stay. What is in memory goes
 * by a memfd, in frames of the same kind. Whoever asks for it makes sure before that the other image reads this state (`--version`).
 */
#ifndef TALLY_UPGRADE_H
#define TALLY_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

/* It is done by `upgrade_run`, when nothing else is under way. @returns 0 or -errno */
int upgrade_ask(const char *path, uint32_t request);
/* Nothing more is heard before that. */
bool upgrade_is_due(void);
/* Does not return, unless it fails: then all is as before. */
void upgrade_run(void);
/* The supervisor that has asked for it has ended. */
void upgrade_forget_request(void);
/* In the new image. @returns 0 or -errno */
int upgrade_resume(int state);

#endif
