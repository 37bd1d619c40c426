#define _GNU_SOURCE
#include "fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int fifo_open(const struct stdio_options *options, const char *name, const char *spool) {
  char path[PATH_MAX];
  struct stat found;
  snprintf(path, sizeof path, "%s/%s", options->directory, name);
  bool is_new = mkfifo(path, 0600) == 0;
  /* It was put back as a link to the descriptor of a process, which has ended since. */
  if (!is_new && errno == EEXIST && stat(path, &found) < 0 && errno == ENOENT) is_new = unlink(path) == 0 && mkfifo(path, 0600) == 0;
  /* What another boot of the host has left of a spool may be anything. */
  if (is_new && spool) unlink(spool);
  if (is_new && options->uid != UINT32_MAX && chown(path, options->uid, options->gid) < 0) return -errno;
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode)) return fd;
  close(fd);
  return -EINVAL;
}

size_t bytes_in(int pipe) {
  int count = 0;
  return ioctl(pipe, FIONREAD, &count) < 0 || count < 0 ? 0 : (size_t)count;
}
