/*
 * tally-shim: parent and child subreaper of the processes in one container. It holds what they read and write, writes their log, keeps
 * those that have ended until their end is journaled, and starts the supervisor, which decides everything. Without a container it keeps
 * a coordinator. See docs/shim.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "children.h"
#include "control.h"
#include "link.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "output.h"
#include "streams.h"
#include "supervisor.h"
#include "title.h"
#include "upgrade.h"

static void signal_came(struct source *, uint32_t events);
static struct source signals = {.fd = -1, .urgent = true, .ready = signal_came};

static void fail(const char *what, int failed) {
  say("%s: %s", what, strerror(failed < 0 ? -failed : failed));
  exit(1);
}

static void usage(void) {
  dprintf(STDERR_FILENO,
          "usage: tally-shim [--listen SOCKET] [--restarts MOST/PERIOD_MS] [--delay MS] [--oom-score-adj N] [--terminate] -- PROGRAM [ARGUMENT...]\n"
          "       tally-shim --version\n");
  exit(2);
}

static void need_supervisor(void) {
  if (children_untold()) supervisor_needed(REASON_EXIT);
}

static void look_at_children(void) {
  children_scan(supervisor.pid);
  supervisor_look();
  need_supervisor();
}

static void signal_came(struct source *source, uint32_t events) {
  struct signalfd_siginfo info;
  (void)events;
  while (read(source->fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) look_at_children();
    if (info.ssi_signo == SIGHUP) listener_reopen();
    /* Containers are ended by commands, not by a terminal or a service manager that is about something else. */
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) supervisor_terminate();
  }
}

static void take_signals(void) {
  static const int taken[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) sigaddset(&set, taken[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  /* If it were ignored, as it can be inherited, the kernel would reap children by itself. */
  signal(SIGCHLD, SIG_DFL);
  signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals.fd < 0) fail("signalfd", errno);
  loop_want(&signals, EPOLLIN);
}

/* What a caller has left open is not ours; 0, 1 and 2 are there, so that nothing else is taken for them. */
static void close_inherited(void) {
  while (true) {
    int fd = open("/dev/null", O_RDWR);
    if (fd < 0 || fd > 2) {
      if (fd > 2) close(fd);
      break;
    }
  }
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
#endif
  struct rlimit files;
  rlim_t most = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? files.rlim_cur : 65536;
  for (int fd = 3; (rlim_t)fd < most; fd++) close(fd);
}

/* Hundreds of processes with their FIFOs. */
static void raise_file_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) return;
  supervisor.soft_files = files.rlim_cur;
  supervisor.hard_files = files.rlim_max;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static int read_oom_score_adj(void) {
  char text[16] = "";
  int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  return count > 0 ? atoi(text) : INT32_MIN;
}

/* The supervisor gets back what was there before. A host need not allow it: then the shim is killed as others are. */
static void protect(int score) {
  supervisor.oom_score_adj = read_oom_score_adj();
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (dprintf(fd, "%d", score) < 0) supervisor.oom_score_adj = INT32_MIN;
  close(fd);
}

static uint64_t to_number(const char *text, const char **rest) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *text == '-') usage();
  if (rest) *rest = end;
  else if (*end) usage();
  return value;
}

static void set_restarts(const char *text) {
  const char *rest;
  uint64_t most = to_number(text, &rest);
  if (*rest != '/' || most > MOST_RESTARTS) usage();
  supervisor.most = (uint32_t)most;
  supervisor.period = to_number(rest + 1, NULL) * MS;
}

static char **copy_arguments(char **from) {
  size_t count = 0;
  while (from[count]) count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy && i < count; i++)
    if (!(copy[i] = strdup(from[i]))) return NULL;
  return copy;
}

static void begin(char **argv) {
  const char *listen_at = NULL;
  int score = INT32_MIN;
  supervisor.most = 5;
  supervisor.period = 60000 * MS;
  supervisor.delay = 250 * MS;
  for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
    const char *name = *argv;
    if (strcmp(name, "--terminate") == 0) {
      supervisor.terminate = true;
      continue;
    }
    const char *value = *++argv;
    if (!value) usage();
    if (strcmp(name, "--listen") == 0) listen_at = value;
    else if (strcmp(name, "--restarts") == 0) set_restarts(value);
    else if (strcmp(name, "--delay") == 0) supervisor.delay = to_number(value, NULL) * MS;
    else if (strcmp(name, "--oom-score-adj") == 0) score = atoi(value);
    else usage();
  }
  if (!*argv || !argv[1]) usage();
  supervisor.argv = copy_arguments(argv + 1);
  if (!supervisor.argv) fail("arguments", ENOMEM);
  close_inherited();
  raise_file_limit();
  if (score != INT32_MIN) protect(score);
  int failed = loop_open();
  if (failed == 0 && listen_at) failed = listener_open(listen_at);
  if (failed < 0) fail(listen_at ? listen_at : "epoll", failed);
  take_signals();
  supervisor_needed(REASON_FIRST);
}

static void resume(char **argv) {
  int failed = loop_open();
  if (failed == 0) failed = upgrade_resume(atoi(argv[2]));
  if (failed < 0) fail("what the former image has left", failed);
  title_set(argv[0]);
  take_signals();
  /* Signals that came in between wait; one that was seen before is looked for again. */
  look_at_children();
}

static void idle(void) {
  log_trim();
  output_trim();
  link_trim();
}

static int exit_status(void) {
  uint32_t status = supervisor.last_status;
  if (!supervisor.terminate || status == UINT32_MAX || (status & 0x7f) != 0) return 0;
  return (int)(status >> 8) & 0xff;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    dprintf(STDOUT_FILENO, "tally-shim protocol %u state %u features %" PRIx64 "\n", PROTOCOL_VERSION, STATE_VERSION, FEATURES);
    return 0;
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) fail("subreaper", errno);
  prctl(PR_SET_NAME, "tally-shim", 0, 0, 0);
  children_on_stranger = need_supervisor;
  title_begin(argv);
  if (argc >= 3 && strcmp(argv[1], "--resume") == 0) resume(argv);
  else begin(argv);
  while (supervisor_run(boot_ns())) {
    streams_run(boot_ns());
    listener_run(boot_ns());
    link_pump();
    control_pump();
    if (upgrade_is_due()) {
      upgrade_run();
      continue;
    }
    uint64_t due = supervisor_due();
    if (streams_due() < due) due = streams_due();
    if (listener_due() < due) due = listener_due();
    loop_turn(due, idle);
  }
  listener_end();
  return exit_status();
}
