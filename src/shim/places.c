#define _GNU_SOURCE
#include "places.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct known {
  uint64_t inode;
  struct place begin;
};

static void to_path(char target[PATH_MAX], const char *path, const char *suffix) { snprintf(target, PATH_MAX, "%s%s", path, suffix); }

static char *read_all(const char *path) {
  struct stat found;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  char *text = fstat(fd, &found) == 0 && found.st_size < 1 << 20 ? malloc((size_t)found.st_size + 1) : NULL;
  ssize_t count = text ? read(fd, text, (size_t)found.st_size) : -1;
  close(fd);
  if (count < 0) {
    free(text);
    return NULL;
  }
  text[count] = 0;
  return text;
}

/* `"name":number` between two braces. */
static bool find_number(const char *from, const char *end, const char *name, uint64_t *value) {
  const char *found = strstr(from, name);
  if (!found || found >= end) return false;
  found += strlen(name);
  if (!isdigit((unsigned char)*found)) return false;
  *value = strtoull(found, NULL, 10);
  return true;
}

/* The list that is in the file, in its own fixed form. One that cannot be read is none: the log has never been rotated. */
static size_t read_places(const char *path, struct known **places) {
  char file[PATH_MAX];
  to_path(file, path, ".places");
  char *text = read_all(file);
  size_t count = 0;
  *places = NULL;
  for (const char *at = text ? strchr(text, '{') : NULL; at; at = strchr(at, '{')) {
    const char *end = strchr(at, '}');
    struct known one;
    struct known *more = end ? realloc(*places, (count + 1) * sizeof one) : NULL;
    if (more) *places = more;
    if (!more || !find_number(at, end, "\"inode\":", &one.inode) || !find_number(at, end, "\"position\":", &one.begin.position) ||
        !find_number(at, end, "\"stdout\":", &one.begin.bytes[STDOUT]) || !find_number(at, end, "\"stderr\":", &one.begin.bytes[STDERR])) {
      free(*places);
      *places = NULL;
      count = 0;
      break;
    }
    (*places)[count++] = one;
    at = end;
  }
  free(text);
  return count;
}

/* All of it or nothing. */
static int write_places(const char *path, const struct known *places, size_t count) {
  char file[PATH_MAX], next[PATH_MAX];
  to_path(file, path, ".places");
  to_path(next, path, ".places.new");
  size_t room = count * 128 + 3, length = 0;
  char *text = malloc(room);
  if (!text) return -ENOMEM;
  text[length++] = '[';
  for (size_t i = 0; i < count; i++)
    length += (size_t)snprintf(text + length, room - length,
                               "%s{\"inode\":%" PRIu64 ",\"position\":%" PRIu64 ",\"stdout\":%" PRIu64 ",\"stderr\":%" PRIu64 "}",
                               i > 0 ? "," : "", places[i].inode, places[i].begin.position, places[i].begin.bytes[STDOUT],
                               places[i].begin.bytes[STDERR]);
  text[length++] = ']';
  int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ssize_t written = fd < 0 ? -1 : write(fd, text, length);
  int failed = written == (ssize_t)length ? 0 : written < 0 ? -errno : -ENOSPC;
  free(text);
  if (fd >= 0) close(fd);
  if (failed == 0 && rename(next, file) < 0) failed = -errno;
  if (failed != 0) unlink(next);
  return failed;
}

/* Behind the name of the log: nothing, `.next`, or a dot and a number. */
static bool is_suffix(const char *suffix) {
  if (*suffix == 0 || strcmp(suffix, ".next") == 0) return true;
  if (suffix[0] != '.' || suffix[1] == 0 || strlen(suffix) >= sizeof ((struct segment *)0)->suffix) return false;
  for (const char *at = suffix + 1; *at; at++)
    if (!isdigit((unsigned char)*at)) return false;
  return true;
}

static int by_position(const void *a, const void *b) {
  const struct segment *left = a, *right = b;
  return left->begin.position < right->begin.position ? -1 : left->begin.position > right->begin.position;
}

static DIR *open_directory(const char *path, const char **name) {
  char directory[PATH_MAX];
  const char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
  return opendir(*directory ? directory : "/");
}

int segments_list(const char *path, struct segment **segments) {
  struct known *places;
  size_t known = read_places(path, &places);
  int count = 0;
  const char *name;
  DIR *directory = known > 0 ? open_directory(path, &name) : NULL;
  *segments = directory ? malloc(known * sizeof **segments) : NULL;
  for (struct dirent *entry; *segments && (entry = readdir(directory));) {
    size_t length = strlen(name);
    struct stat found;
    if (strncmp(entry->d_name, name, length) != 0 || !is_suffix(entry->d_name + length)) continue;
    if (fstatat(dirfd(directory), entry->d_name, &found, 0) < 0) continue;
    /* The number of a dropped file's inode may be used again: the latest place is that of the file. */
    for (size_t i = known; i-- > 0;) {
      if (places[i].inode != found.st_ino || (size_t)count == known) continue;
      (*segments)[count].begin = places[i].begin;
      strcpy((*segments)[count].suffix, entry->d_name + length);
      count++;
      break;
    }
  }
  if (directory) closedir(directory);
  free(places);
  if (count > 0) {
    qsort(*segments, (size_t)count, sizeof **segments, by_position);
    return count;
  }
  free(*segments);
  *segments = calloc(1, sizeof **segments);
  return *segments ? 1 : -ENOMEM;
}

int segments_settle(const char *path, uint32_t max_files) {
  struct segment *segments;
  int count = segments_list(path, &segments);
  if (count < 0) return count;
  int failed = 0;
  char from[PATH_MAX], to[PATH_MAX];
  for (int i = 0; i < count && failed == 0; i++) {
    uint32_t age = (uint32_t)(count - 1 - i);
    char suffix[16] = "";
    if (age > 0) snprintf(suffix, sizeof suffix, ".%u", age);
    to_path(from, path, segments[i].suffix);
    to_path(to, path, suffix);
    if (max_files > 0 && age >= max_files) unlink(from);
    else if (strcmp(from, to) != 0 && rename(from, to) < 0 && errno != ENOENT) failed = -errno;
  }
  free(segments);
  if (failed != 0) return failed;
  /* Not known yet, and so empty. */
  to_path(from, path, ".next");
  unlink(from);
  struct known *places;
  size_t known = read_places(path, &places);
  if (max_files > 0 && known > max_files) failed = write_places(path, places + known - max_files, max_files);
  free(places);
  return failed;
}

int segments_rotate(const char *path, uint32_t max_files, const struct place *begin) {
  char next[PATH_MAX];
  to_path(next, path, ".next");
  /* Left by one that was cut short: it may be the file that is written. */
  if (access(next, F_OK) == 0) {
    int failed = segments_settle(path, max_files);
    if (failed != 0) return failed;
  }
  int fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  struct known *places, *more;
  size_t count = read_places(path, &places);
  int failed = -ENOMEM;
  if ((more = realloc(places, (count + 2) * sizeof *more))) {
    struct stat present, found;
    places = more;
    if (count == 0 && stat(path, &present) == 0) places[count++] = (struct known){present.st_ino, {0, {0, 0}}};
    failed = fstat(fd, &found) < 0 ? -errno : 0;
    places[count++] = (struct known){found.st_ino, *begin};
    if (failed == 0) failed = write_places(path, places, count);
  }
  free(places);
  if (failed != 0) {
    unlink(next);
    close(fd);
    return failed;
  }
  /* From here on it is known, whatever its name is: a rename that fails is made up for by the next. */
  segments_settle(path, max_files);
  return fd;
}
