#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"
#include "requests.h"
#include "supervisor.h"
#include "upgrade.h"

#define MOST_CONNECTIONS 32
#define REPLY_ROOM 1024
#define ACCEPT_RETRY (100 * MS)

struct connection {
  struct source source;
  struct buffer in;
  /* When it was heard last, in no unit but that of the others. */
  uint64_t heard;
  /* The request by which it follows, and the one by which it has asked for another image. */
  uint32_t follows, upgrade;
};

static void accept_one(struct source *, uint32_t events);
static struct source listener = {.fd = -1, .urgent = true, .ready = accept_one};
static struct connection connections[MOST_CONNECTIONS];
static char *listen_path;
static int lock = -1;
static uint64_t times_heard;
/* When it is tried again to accept somebody (boottime, ns). */
static uint64_t accept_at = NEVER;
/* What was told last. */
static enum phase told_phase;
static enum leaving told_leaving;
static pid_t told_pid;

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

int control_listen(const char *path) {
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

void control_relisten(void) {
  if (listen_path && access(listen_path, F_OK) < 0) control_listen(listen_path);
}

static void drop(struct connection *connection) {
  loop_want(&connection->source, 0);
  close(connection->source.fd);
  free(connection->in.bytes);
  memset(connection, 0, sizeof *connection);
}

/* Who does not read what little there is to be read is not waited for. */
static bool answer(struct connection *connection, const struct buffer *out) {
  if (out->length == 0 || send(connection->source.fd, out->bytes, out->length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)out->length) return true;
  drop(connection);
  return false;
}

static void handle_frames(struct connection *connection) {
  struct buffer *in = &connection->in;
  for (struct frame frame; !upgrade_is_due();) {
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    ssize_t length = frame_parse(in->bytes, in->length, FRAME_MOST, &frame);
    if (length < 0) return drop(connection);
    if (length == 0) return;
    if (frame.type == FRAME_STATUS) {
      struct fields fields = frame.fields;
      connection->follows = has_more(&fields) && get_u8(&fields) != 0 ? frame.request : 0;
    }
    request_handle(&frame, &out, true);
    if (upgrade_is_due()) connection->upgrade = frame.request;
    buffer_drop(in, (size_t)length);
    if (!answer(connection, &out)) return;
  }
}

static void hear(struct source *source, uint32_t events) {
  struct connection *connection = (struct connection *)source;
  struct buffer *in = &connection->in;
  (void)events;
  /* Of another image, which is under way. */
  if (in->length == in->capacity) return;
  ssize_t count = recv(source->fd, in->bytes + in->length, in->capacity - in->length, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(connection);
  in->length += (size_t)count;
  connection->heard = ++times_heard;
  handle_frames(connection);
}

/* A free one, or that of whoever has been silent longest; of those that follow only when there is nobody else. */
static struct connection *find_place(void) {
  struct connection *silent = connections;
  for (struct connection *one = connections; one < connections + MOST_CONNECTIONS; one++) {
    if (!one->in.bytes) return one;
    bool follows = one->follows != 0, silent_follows = silent->follows != 0;
    if (follows < silent_follows || (follows == silent_follows && one->heard < silent->heard)) silent = one;
  }
  drop(silent);
  return silent;
}

static void accept_one(struct source *source, uint32_t events) {
  (void)events;
  int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) return;
  uint8_t *bytes = fd < 0 ? NULL : malloc(FRAME_MOST);
  if (!bytes) {
    /* No descriptor, or no memory: who is there waits. */
    if (fd >= 0) close(fd);
    loop_want(source, 0);
    accept_at = boot_ns() + ACCEPT_RETRY;
    return;
  }
  struct connection *connection = find_place();
  *connection = (struct connection){
      .source = {.fd = fd, .urgent = true, .ready = hear}, .in = {.bytes = bytes, .capacity = FRAME_MOST}, .heard = ++times_heard};
  loop_want(&connection->source, EPOLLIN);
}

uint64_t control_due(void) { return accept_at; }

static void tell_followers(void) {
  if (told_phase == supervisor.phase && told_leaving == supervisor.leaving && told_pid == supervisor.pid) return;
  told_phase = supervisor.phase;
  told_leaving = supervisor.leaving;
  told_pid = supervisor.pid;
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++) {
    if (!connection->in.bytes || connection->follows == 0) continue;
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    size_t begin = frame_begin(&out, FRAME_OK, connection->follows);
    put_status(&out);
    frame_end(&out, begin);
    answer(connection, &out);
  }
}

void control_pump(void) {
  if (accept_at != NEVER && boot_ns() >= accept_at) {
    accept_at = NEVER;
    if (listener.fd >= 0) loop_want(&listener, EPOLLIN);
  }
  /* What came together with the request for an image that was none. */
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++)
    if (connection->in.length > 0) handle_frames(connection);
  tell_followers();
}

void control_tell_error(int failed) {
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++) {
    if (!connection->in.bytes || connection->upgrade == 0) continue;
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    put_error(&out, connection->upgrade, failed);
    connection->upgrade = 0;
    answer(connection, &out);
  }
}

void control_end(void) {
  if (listen_path) unlink(listen_path);
}

void control_carry(struct carrier *carrier) {
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

void control_fds(void (*use)(int fd)) {
  use(listener.fd);
  use(lock);
}
