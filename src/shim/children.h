/*
 * The processes that fall to the shim, which is their subreaper. One that is watched stays a zombie after its end, until `reap`: so its
 * status is safe in the kernel, and its pid is nobody else's, until the supervisor has it in the journal. Others are reaped at once,
 * but for the moments in which the supervisor holds them, since it does not know yet which of them it will watch. A coordinator is told of
 * all of them, and reaps them: they are what is left of shims that were killed.
 */
#ifndef TALLY_CHILDREN_H
#define TALLY_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

#define UNKNOWN_STATUS UINT32_MAX

struct child {
  pid_t pid;
  /* Field 22 of /proc/<pid>/stat: with it, a pid that is used again is not taken for this one. */
  uint64_t start_ticks;
  bool ended, told;
  /* By pidfd, of a stranger: another's child, of which nobody here learns how it has ended. NULL for one of ours. */
  struct source *stranger;
  /* As wait(2) encodes it; UNKNOWN_STATUS of a stranger. */
  uint32_t status;
  uint64_t user_us, system_us, max_rss_bytes;
  /* When the end was seen. */
  uint64_t real_ns, boot_ns;
};

/* Idempotent. @returns 0, or -ECHILD when it is no child, whose end would never be seen */
int children_watch(pid_t, struct child **);
/* One that fell to somebody else, since its shim was killed: that it ends is seen, so that its supervisor can sleep. @returns 0 or -errno */
int children_watch_stranger(pid_t, struct child **);
/* Idempotent: of one that is not watched there is nothing to do. @returns 0, or -EBUSY when it has not ended */
int children_reap(pid_t);
enum orphans { ORPHANS_REAPED, ORPHANS_HELD, ORPHANS_TOLD };
void children_set_orphans(enum orphans);
enum orphans children_orphans(void);
/* Looks at every child but this one, which is the supervisor. */
void children_scan(pid_t supervisor);

size_t children_count(void);
struct child *children_at(size_t);
/* As it was before execve. @param pidfd of a stranger; -1 */
int children_restore(const struct child *, int pidfd);
/* Called when a stranger has ended. */
extern void (*children_on_stranger)(void);
/* An end of which the supervisor has not been told; NULL when there is none. */
struct child *children_untold(void);
/* Whether an end has not been acknowledged. */
bool children_have_ended(void);

#endif
