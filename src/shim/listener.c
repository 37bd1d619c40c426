#define _GNU_SOURCE
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "loop.h"
#include "state.h"

#define ACCEPT_RETRY (100 * MS)

static void accept_one(struct source *, uint32_t events);
static struct source listener = {.fd = -1, .urgent = true, .ready = accept_one};
static char *listen_path;
static int lock = -1;
/* When it is tried again to accept somebody (boottime, ns). */
static uint64_t accept_at = NEVER;

const char *control_path(void) { return listen_path ? listen_path : ""; }

static bool is_same_file(int a, int b) {
  struct stat one, other;
  return a >= 0 && b >= 0 && fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* @param locked the descriptor that holds the lock: `lock` itself, when it is the same directory */
static int lock_directory(const char *path, int *locked) {
  char directory[PATH_MAX];
  const char *slash = strrchr(path, '/');
  snprintf(directory, sizeof directory, "%.*s", slash && slash > path ? (int)(slash - path) : 1, slash ? path : ".");
  *locked = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*locked < 0) return -errno;
  if (is_same_file(*locked, lock)) {
    close(*locked);
    *locked = lock;
    return 0;
  }
  if (flock(*locked, LOCK_EX | LOCK_NB) == 0) return 0;
  int failed = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
  close(*locked);
  return failed;
}

static const char *name_in(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* It has its name when it is listened on, and not before: whoever finds it can connect. By descriptor, since paths may be too long. */
static int open_socket(const char *path, int directory) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *name = name_in(path);
  int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s.new", directory, name);
  if (length >= (int)sizeof address.sun_path) return -ENAMETOOLONG;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  unlink(address.sun_path);
  mode_t former = umask(0177);
  bool is_ready = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, SOMAXCONN) == 0;
  if (is_ready && rename(address.sun_path, path) == 0) {
    umask(former);
    return fd;
  }
  int failed = -errno;
  umask(former);
  unlink(address.sun_path);
  close(fd);
  return failed;
}

static void stop_listening(void) {
  loop_want(&listener, 0);
  if (listener.fd >= 0) close(listener.fd);
  listener.fd = -1;
}

int listener_open(const char *path) {
  int locked;
  if (strlen(path) >= PATH_MAX) return -ENAMETOOLONG;
  int failed = lock_directory(path, &locked);
  if (failed < 0) return failed;
  bool is_there = locked == lock && strcmp(name_in(path), name_in(listen_path)) == 0;
  if (is_there && access(path, F_OK) == 0) return 0;
  int fd = open_socket(path, locked);
  char *copy = fd < 0 ? NULL : strdup(path);
  if (!copy) {
    if (locked != lock) close(locked);
    if (fd >= 0) close(fd);
    return fd < 0 ? fd : -ENOMEM;
  }
  if (listen_path && !is_there && strcmp(path, listen_path) != 0) unlink(listen_path);
  stop_listening();
  if (lock >= 0 && lock != locked) close(lock);
  free(listen_path);
  listen_path = copy;
  lock = locked;
  listener.fd = fd;
  loop_want(&listener, EPOLLIN);
  return 0;
}

void listener_reopen(void) {
  if (listen_path && access(listen_path, F_OK) < 0) listener_open(listen_path);
}

/* No descriptor, or no memory: who is there waits. */
static void wait_a_little(void) {
  loop_want(&listener, 0);
  accept_at = boot_ns() + ACCEPT_RETRY;
}

static void accept_one(struct source *source, uint32_t events) {
  (void)events;
  int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) return;
  if (fd < 0 || control_take(fd) < 0) wait_a_little();
}

uint64_t listener_due(void) { return accept_at; }

void listener_run(uint64_t now) {
  if (now < accept_at) return;
  accept_at = NEVER;
  if (listener.fd >= 0) loop_want(&listener, EPOLLIN);
}

void listener_end(void) {
  if (listen_path) unlink(listen_path);
}

void listener_carry(struct carrier *carrier) {
  carry_text(carrier, &listen_path);
  carry(carrier, listener.fd);
  carry(carrier, lock);
  if (!carrier->from) return;
  if (listener.fd >= 0) loop_want(&listener, EPOLLIN);
  if (listen_path && !*listen_path) {
    free(listen_path);
    listen_path = NULL;
  }
}

void listener_fds(void (*use)(int fd)) {
  use(listener.fd);
  use(lock);
}
