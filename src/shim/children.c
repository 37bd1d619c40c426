#define _GNU_SOURCE
#include "children.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process-table.h"

static struct child *children;
static size_t count, capacity;
static enum orphans orphans;

/* The library's waitid has no resource usage. @returns the pid, 0 when nothing has ended, -1 when there is no such child */
static pid_t wait_child(idtype_t which, pid_t pid, int flags, siginfo_t *info, struct rusage *usage) {
  info->si_pid = 0;
  if (syscall(SYS_waitid, which, pid, info, WEXITED | WNOHANG | flags, usage) < 0) return -1;
  return info->si_pid;
}

static struct child *find(pid_t pid) {
  for (size_t i = 0; i < count; i++)
    if (children[i].pid == pid) return &children[i];
  return NULL;
}

static uint64_t to_us(struct timeval time) { return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec; }

static uint32_t to_status(const siginfo_t *info) {
  if (info->si_code == CLD_EXITED) return ((uint32_t)info->si_status & 0xff) << 8;
  return ((uint32_t)info->si_status & 0x7f) | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void set_ended(struct child *child, uint32_t status) {
  child->ended = true;
  child->status = status;
  child->real_ns = real_ns();
  child->boot_ns = boot_ns();
}

static void look(struct child *child) {
  siginfo_t info;
  struct rusage usage;
  if (child->ended || child->stranger || wait_child(P_PID, child->pid, WNOWAIT, &info, &usage) <= 0) return;
  set_ended(child, to_status(&info));
  child->user_us = to_us(usage.ru_utime);
  child->system_us = to_us(usage.ru_stime);
  child->max_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

static struct child *add(const struct child *child) {
  if (count == capacity) {
    size_t more = capacity ? capacity * 2 : 8;
    struct child *grown = realloc(children, more * sizeof *grown);
    if (!grown) return NULL;
    children = grown;
    capacity = more;
  }
  children[count] = *child;
  return &children[count++];
}

int children_watch(pid_t pid, struct child **child) {
  siginfo_t info;
  struct rusage usage;
  if ((*child = find(pid))) return 0;
  if (pid <= 0 || wait_child(P_PID, pid, WNOWAIT, &info, &usage) < 0) return -ECHILD;
  if (!(*child = add(&(struct child){.pid = pid, .start_ticks = read_start_ticks(pid)}))) return -ENOMEM;
  look(*child);
  return 0;
}

void (*children_on_stranger)(void);

static void stranger_ended(struct source *source, uint32_t events) {
  (void)events;
  loop_want(source, 0);
  for (size_t i = 0; i < count; i++)
    if (children[i].stranger == source) set_ended(&children[i], UNKNOWN_STATUS);
  children_on_stranger();
}

static int follow_stranger(struct child *child, int pidfd) {
  struct source *source = malloc(sizeof *source);
  if (!source) return -ENOMEM;
  *source = (struct source){.fd = pidfd, .urgent = true, .ready = stranger_ended};
  child->stranger = source;
  if (!child->ended) loop_want(source, EPOLLIN);
  return 0;
}

int children_watch_stranger(pid_t pid, struct child **child) {
  if ((*child = find(pid))) return 0;
#ifdef SYS_pidfd_open
  int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
#else
  int pidfd = -1;
  errno = ENOSYS;
#endif
  if (pidfd < 0) return pid > 0 ? -errno : -ESRCH;
  struct child stranger = {.pid = pid, .start_ticks = read_start_ticks(pid)};
  int failed = follow_stranger(&stranger, pidfd);
  if (failed == 0 && !(*child = add(&stranger))) failed = -ENOMEM;
  if (failed < 0) close(pidfd);
  return failed;
}

int children_restore(const struct child *saved, int pidfd) {
  struct child *child = add(saved);
  if (!child) return -ENOMEM;
  child->stranger = NULL;
  return pidfd < 0 ? 0 : follow_stranger(child, pidfd);
}

int children_reap(pid_t pid) {
  siginfo_t info;
  struct rusage usage;
  struct child *child = find(pid);
  if (!child) return 0;
  if (!child->ended) return -EBUSY;
  if (child->stranger) {
    close(child->stranger->fd);
    free(child->stranger);
  } else {
    wait_child(P_PID, pid, 0, &info, &usage);
  }
  *child = children[--count];
  return 0;
}

void children_set_orphans(enum orphans wanted) { orphans = wanted; }
enum orphans children_orphans(void) { return orphans; }
size_t children_count(void) { return count; }
struct child *children_at(size_t index) { return &children[index]; }

struct child *children_untold(void) {
  for (size_t i = 0; i < count; i++)
    if (children[i].ended && !children[i].told) return &children[i];
  return NULL;
}

bool children_have_ended(void) {
  for (size_t i = 0; i < count; i++)
    if (children[i].ended) return true;
  return false;
}

/* Reaps an orphan that has ended, or has it told of from now on. */
static void look_at_orphan(pid_t pid, pid_t supervisor) {
  siginfo_t info;
  struct rusage usage;
  struct child *child;
  if (pid == supervisor || find(pid)) return;
  if (orphans == ORPHANS_REAPED) wait_child(P_PID, pid, 0, &info, &usage);
  else if (wait_child(P_PID, pid, WNOWAIT, &info, &usage) > 0) children_watch(pid, &child);
}

void children_scan(pid_t supervisor) {
  siginfo_t info;
  struct rusage usage;
  for (size_t i = 0; i < count; i++) look(&children[i]);
  if (orphans == ORPHANS_HELD) return;
  for (pid_t pid; (pid = wait_child(P_ALL, 0, WNOWAIT, &info, &usage)) > 0;) {
    if (pid != supervisor && !find(pid)) {
      look_at_orphan(pid, supervisor);
      continue;
    }
    /* The kernel tells of the eldest that has ended, always: a zombie that is kept hides all behind it. */
    pid_t *all;
    ssize_t listed = children_list(&all);
    for (ssize_t i = 0; i < listed; i++) look_at_orphan(all[i], supervisor);
    if (listed >= 0) free(all);
    return;
  }
}
