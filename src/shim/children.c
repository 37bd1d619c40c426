#define _GNU_SOURCE
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>


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

static ssize_t append(pid_t **list, size_t length, pid_t pid) {
  /* Grows at each power of two. */
  if ((length & (length - 1)) == 0) {
    pid_t *grown = realloc(*list, (length ? length * 2 : 1) * sizeof pid);
    if (!grown) return -ENOMEM;
    *list = grown;
  }
  (*list)[length] = pid;
  return (ssize_t)length + 1;
}

ssize_t children_list(pid_t **list) {
  char text[4096];
  ssize_t length = 0, got;
  pid_t pid = 0;
  int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return children_list_by_parent(list);
  *list = NULL;
  /* A number may go over the end of a piece. */
  while (length >= 0 && (got = read(fd, text, sizeof text)) > 0)
    for (ssize_t i = 0; i < got && length >= 0; i++) {
      if (text[i] >= '0' && text[i] <= '9') pid = pid * 10 + (text[i] - '0');
      else if (pid > 0) {
        length = append(list, (size_t)length, pid);
        pid = 0;
      }
    }
  close(fd);
  if (length < 0) free(*list);
  return length;
}

/* The fields of /proc/<pid>/stat behind the name, which may have anything in it, parentheses and spaces too. */
static const char *read_stat(pid_t pid, char *text, size_t room) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
  if (fd >= 0) close(fd);
  if (got <= 0) return NULL;
  text[got] = 0;
  const char *end = strrchr(text, ')');
  return end && end[1] == ' ' ? end + 2 : NULL;
}

ssize_t children_list_by_parent(pid_t **list) {
  char text[1024];
  ssize_t length = 0;
  DIR *directory = opendir("/proc");
  *list = NULL;
  if (!directory) return -errno;
  for (struct dirent *entry; length >= 0 && (entry = readdir(directory));) {
    pid_t pid = (pid_t)atoi(entry->d_name);
    const char *fields = pid > 0 ? read_stat(pid, text, sizeof text) : NULL;
    /* State, then the parent. */
    if (fields && atoi(fields + 2) == (int)getpid()) length = append(list, (size_t)length, pid);
  }
  closedir(directory);
  if (length < 0) free(*list);
  return length;
}

uint64_t read_start_ticks(pid_t pid) {
  char text[1024];
  const char *fields = read_stat(pid, text, sizeof text);
  /* The first of them is field 3. */
  for (int field = 3; fields && field < 22; field++) {
    fields = strchr(fields, ' ');
    if (fields) fields++;
  }
  return fields ? strtoull(fields, NULL, 10) : 0;
}
