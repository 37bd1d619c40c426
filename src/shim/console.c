#define _GNU_SOURCE
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output.h"

void stdio_console_path(const struct stdio *stdio, char *path, size_t room) {
  if (stdio->console.fd < 0) path[0] = 0;
  else if (stdio->console_directory < 0) snprintf(path, room, "%s/console.sock", stdio->directory);
  else snprintf(path, room, "/proc/%d/fd/%d/console.sock", (int)getpid(), stdio->console_directory);
}

int console_open(struct stdio *stdio) {
  char path[PATH_MAX];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(path, sizeof path, "%s/console.sock", stdio->directory);
  unlink(path);
  stdio->console.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (stdio->console.fd < 0) return -errno;
  if (strlen(path) >= sizeof address.sun_path) {
    /* By descriptor where the path is longer than an address can be. */
    stdio->console_directory = open(stdio->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (stdio->console_directory < 0) return -errno;
    stdio_console_path(stdio, path, sizeof path);
  }
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path));
  if (bind(stdio->console.fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(stdio->console.fd, 1) < 0) return -errno;
  loop_want(&stdio->console, EPOLLIN);
  return 0;
}

void console_close(struct stdio *stdio) {
  char path[PATH_MAX];
  if (stdio->console.fd < 0) return;
  loop_want(&stdio->console, 0);
  snprintf(path, sizeof path, "%s/console.sock", stdio->directory);
  unlink(path);
  close(stdio->console.fd);
  if (stdio->console_directory >= 0) close(stdio->console_directory);
  stdio->console.fd = stdio->console_directory = -1;
}

/* What more is sent, the kernel closes. */
#define MOST_DESCRIPTORS 8

static void take_master(struct stdio *stdio, int master) {
  struct winsize size = {.ws_col = stdio->columns, .ws_row = stdio->rows};
  fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
  if (size.ws_col > 0 && size.ws_row > 0) ioctl(master, TIOCSWINSZ, &size);
  stdio->master = stdio->input.fd = master;
  output_start(&stdio->out[STDOUT]);
}

/* One message with one descriptor (runc, docs/terminals.md), on the first connection. It has been sent when the runtime returns. */
void console_ready(struct source *source, uint32_t events) {
  struct stdio *stdio = owner_of(source, console);
  char name[256];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
  } control;
  struct iovec text = {name, sizeof name};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  (void)events;
  if (!stdio->console_connected) {
    int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) return;
    loop_want(source, 0);
    close(source->fd);
    source->fd = connection;
    stdio->console_connected = true;
    loop_want(source, EPOLLIN);
  }
  ssize_t got = recvmsg(source->fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int sent[MOST_DESCRIPTORS];
  size_t count = 0;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *sent;
    memcpy(sent, CMSG_DATA(header), count * sizeof *sent);
  }
  for (size_t i = 0; i < count; i++)
    if (i == 0 && stdio->master < 0) take_master(stdio, sent[i]);
    else close(sent[i]);
  console_close(stdio);
}

void console_take(struct stdio *stdio) {
  if (stdio->master < 0 && stdio->console.fd >= 0) console_ready(&stdio->console, 0);
  console_close(stdio);
}

int stdio_resize(struct stdio *stdio, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  stdio->columns = columns;
  stdio->rows = rows;
  if (stdio->master < 0) return 0;
  return ioctl(stdio->master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
