#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "control.h"
#include "link.h"
#include "streams.h"
#include "upgrade.h"

#define LEAVE_PATIENCE (5000 * MS)

struct supervisor supervisor = {.last_status = UINT32_MAX, .start_at = NEVER, .kill_at = NEVER, .deadline = NEVER, .oom_score_adj = INT32_MIN};

/* In the child: all that the shim has set for itself is as it was. */
static void become_supervisor(int socket) {
  struct rlimit files = {supervisor.soft_files, supervisor.hard_files};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setrlimit(RLIMIT_NOFILE, &files);
  int fd = supervisor.oom_score_adj == INT32_MIN ? -1 : open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) dprintf(fd, "%d", supervisor.oom_score_adj);
  if (socket == 3) fcntl(socket, F_SETFD, 0);
  else if (dup2(socket, 3) < 0) _exit(126);
  execvp(supervisor.argv[0], supervisor.argv);
  say("cannot start %s: %s", supervisor.argv[0], strerror(errno));
  _exit(127);
}

static void note_restart(uint64_t now) {
  memmove(supervisor.restarts + 1, supervisor.restarts, sizeof supervisor.restarts - sizeof *supervisor.restarts);
  supervisor.restarts[0] = now;
}

/* It has died, or could not be started: another one now, later, or never. */
static void restart(uint64_t now) {
  uint32_t recent = 0;
  while (recent < supervisor.most && supervisor.restarts[recent] > 0 && supervisor.restarts[recent] + supervisor.period > now) recent++;
  supervisor.reasons |= REASON_DIED;
  if (recent >= supervisor.most) {
    supervisor.phase = PHASE_GAVE_UP;
    supervisor.start_at = NEVER;
    say("gave up: %s has died too often", supervisor.argv[0]);
    /* It has nothing, and nobody can have it try again. */
    if (children_count() == 0 && *control_path() == 0) {
      supervisor.phase = PHASE_ASLEEP;
      supervisor.leaving = LEAVES_FOR_GOOD;
    }
    return;
  }
  uint64_t earliest = recent == 0 ? now : supervisor.restarts[0] + (supervisor.delay << (recent - 1));
  supervisor.phase = PHASE_WAITING;
  supervisor.start_at = earliest > now ? earliest : now;
  note_restart(supervisor.start_at);
}

static void start(uint64_t now) {
  int ends[2];
  supervisor.start_at = NEVER;
  pid_t pid = -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
    pid = fork();
    if (pid == 0) become_supervisor(ends[1]);
    close(ends[1]);
    if (pid < 0) close(ends[0]);
  }
  if (pid < 0) {
    say("cannot start %s: %s", supervisor.argv[0], strerror(errno));
    supervisor.deaths++;
    return restart(now);
  }
  supervisor.pid = pid;
  supervisor.phase = PHASE_UP;
  supervisor.leaving = STAYS;
  supervisor.kill_at = NEVER;
  supervisor.starts++;
  streams_forget_requests();
  upgrade_forget_request();
  link_begin(ends[0], supervisor.reasons);
  /* HELLO tells of them. */
  supervisor.reasons = 0;
  supervisor.woken_untold = supervisor.due_untold = false;
}

void supervisor_look(void) {
  int status;
  if (supervisor.pid <= 0 || waitpid(supervisor.pid, &status, WNOHANG) != supervisor.pid) return;
  /* What it has said last holds. */
  link_end();
  supervisor.pid = 0;
  supervisor.kill_at = NEVER;
  supervisor.last_status = (uint32_t)status;
  uint64_t now = boot_ns();
  if (supervisor.leaving == STAYS) {
    supervisor.deaths++;
    return restart(now);
  }
  supervisor.phase = PHASE_ASLEEP;
  if (supervisor.leaving == LEAVES_BY_SIGNAL) return;
  /* Something came while it left. */
  if (supervisor.woken_untold) supervisor.reasons |= REASON_WOKEN;
  if (supervisor.due_untold) supervisor.reasons |= REASON_DUE;
  if (children_have_ended()) supervisor.reasons |= REASON_EXIT;
  if (supervisor.reasons != 0) {
    supervisor.phase = PHASE_WAITING;
    supervisor.start_at = now;
  }
}

void supervisor_needed(enum reason reason) {
  if (supervisor.phase == PHASE_GAVE_UP || supervisor.phase == PHASE_UP || supervisor.leaving == LEAVES_BY_SIGNAL) return;
  supervisor.reasons |= reason;
  if (supervisor.phase == PHASE_WAITING) return;
  supervisor.phase = PHASE_WAITING;
  supervisor.start_at = boot_ns();
}

void supervisor_wake(bool force) {
  supervisor.wakes++;
  if (supervisor.phase == PHASE_UP) {
    supervisor.woken_untold = true;
    return;
  }
  if (force && supervisor.phase == PHASE_GAVE_UP) {
    memset(supervisor.restarts, 0, sizeof supervisor.restarts);
    supervisor.phase = PHASE_ASLEEP;
  }
  supervisor_needed(REASON_WOKEN);
}

int supervisor_leave(enum leaving leaving, uint32_t wakes) {
  if (wakes != supervisor.wakes || supervisor.due_untold || children_have_ended()) return -EAGAIN;
  if (children_orphans() == ORPHANS_HELD || (leaving == LEAVES_FOR_GOOD && children_count() > 0)) return -EBUSY;
  if (supervisor.leaving != LEAVES_BY_SIGNAL) supervisor.leaving = leaving;
  supervisor.kill_at = boot_ns() + LEAVE_PATIENCE;
  return 0;
}

void supervisor_set_deadline(uint64_t at) {
  supervisor.deadline = at;
  supervisor.due_untold = false;
}

void supervisor_kill(void) {
  if (supervisor.pid > 0) kill(supervisor.pid, SIGKILL);
}

void supervisor_terminate(void) {
  if (!supervisor.terminate) return;
  if (supervisor.pid > 0) kill(supervisor.pid, SIGTERM);
  else {
    supervisor.phase = PHASE_ASLEEP;
    supervisor.start_at = NEVER;
    supervisor.reasons = 0;
  }
  /* Nothing starts another. */
  supervisor.leaving = LEAVES_BY_SIGNAL;
}

bool supervisor_run(uint64_t now) {
  if (now >= supervisor.deadline) {
    supervisor.deadline = NEVER;
    supervisor.due_untold = supervisor.phase == PHASE_UP;
    supervisor_needed(REASON_DUE);
  }
  if (now >= supervisor.kill_at) {
    supervisor.kill_at = NEVER;
    supervisor_kill();
  }
  if (now >= supervisor.start_at) start(now);
  return supervisor.phase != PHASE_ASLEEP || supervisor.leaving < LEAVES_FOR_GOOD;
}

uint64_t supervisor_due(void) {
  uint64_t due = supervisor.deadline;
  if (supervisor.kill_at < due) due = supervisor.kill_at;
  return supervisor.start_at < due ? supervisor.start_at : due;
}

void put_status(struct buffer *out) {
  uint32_t ended = 0, stdios = 0;
  for (size_t i = 0; i < children_count(); i++) ended += children_at(i)->ended;
  for (struct stdio *stdio = stdio_first(); stdio; stdio = stdio->next) stdios++;
  put_u16(out, PROTOCOL_VERSION);
  put_u8(out, (uint8_t)supervisor.phase);
  put_u8(out, (uint8_t)supervisor.leaving);
  put_u32(out, (uint32_t)supervisor.pid);
  put_u64(out, supervisor.starts);
  put_u64(out, supervisor.deaths);
  put_u32(out, supervisor.last_status);
  put_u32(out, supervisor.wakes);
  put_u64(out, supervisor.start_at);
  put_u64(out, supervisor.deadline);
  put_u32(out, (uint32_t)children_count());
  put_u32(out, ended);
  put_u32(out, stdios);
}
