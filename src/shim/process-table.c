#define _GNU_SOURCE
#include "process-table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
