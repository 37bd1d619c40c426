#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "places.h"

static const char *const names[] = {"stdout", "stderr"};

/* Lines on their way into the file, and what they hold. */
#define BATCH (64u * 1024)
static _Alignas(4096) uint8_t batch[BATCH];
static size_t batch_length, batch_bytes;
static bool batch_in_line, batch_is_large;

/* Output may not take the last of a disk, so that what is journaled goes on: so much, or a sixteenth of a small one. */
#define KEPT_BYTES (1024u * 1024)
/* A file of a few bytes each makes a rotation of every line: then others have their turn. */
#define MOST_ROTATIONS 8

/* ` stdout F ` behind the time; see parse in src/stdio/cri-log.ts. */
static const uint8_t *parse_line(const uint8_t *line, size_t length, enum stream_name *stream, bool *full) {
  const uint8_t *space = memchr(line, ' ', length);
  if (!space || (size_t)(line + length - space) < 10) return NULL;
  if (memcmp(space, " stdout ", 8) == 0) *stream = STDOUT;
  else if (memcmp(space, " stderr ", 8) == 0) *stream = STDERR;
  else return NULL;
  if ((space[8] != 'F' && space[8] != 'P') || space[9] != ' ') return NULL;
  *full = space[8] == 'F';
  return space + 10;
}

/* Counts the lines of the present file, and cuts it behind the last that is whole. The batch is free meanwhile. */
static int count_file(struct log *log) {
  size_t length = 0;
  uint64_t at = 0;
  log->size = 0;
  for (;;) {
    ssize_t got = pread(log->fd, batch + length, BATCH - length, (off_t)at);
    if (got < 0) return -errno;
    if (got == 0) break;
    at += (uint64_t)got;
    length += (size_t)got;
    batch_is_large = true;
    size_t from = 0;
    for (uint8_t *end; (end = memchr(batch + from, '\n', length - from)); from = (size_t)(end - batch) + 1) {
      enum stream_name stream;
      bool full;
      const uint8_t *text = parse_line(batch + from, (size_t)(end - batch) - from, &stream, &full);
      log->size += (uint64_t)(end - batch) + 1 - from;
      if (!text) continue;
      log->totals[stream] += (uint64_t)(end - text) + full;
      log->in_line[stream] = !full;
    }
    /* Somebody else's line, longer than any of ours: it is passed over in pieces. */
    if (from == 0 && length == BATCH) {
      log->size += length;
      from = length;
    }
    memmove(batch, batch + from, length - from);
    length -= from;
  }
  return log->size < at && ftruncate(log->fd, (off_t)log->size) < 0 ? -errno : 0;
}

static int open_file(struct log *log) {
  struct segment *segments;
  int count = segments_list(log->path, &segments);
  if (count < 0) return count;
  log->begin = segments[count - 1].begin;
  free(segments);
  log->totals[STDOUT] = log->begin.bytes[STDOUT];
  log->totals[STDERR] = log->begin.bytes[STDERR];
  log->fd = open(log->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return log->fd < 0 ? -errno : count_file(log);
}

int log_open(struct log *log, const char *path, uint64_t max_bytes, uint32_t max_files) {
  *log = (struct log){.path = strdup(path), .fd = -1, .max_bytes = max_bytes, .max_files = max_files};
  int failed = log->path ? segments_settle(path, max_files) : -ENOMEM;
  if (failed == 0) failed = open_file(log);
  if (failed != 0) log_close(log);
  return failed;
}

void log_close(struct log *log) {
  if (log->fd >= 0) close(log->fd);
  free(log->path);
  log->fd = -1;
  log->path = NULL;
}

uint64_t log_position(const struct log *log) { return log->begin.position + log->size; }

static bool leaves_room(int fd) {
  struct statfs disk;
  /* If it cannot be asked, the write will tell. */
  if (fstatfs(fd, &disk) < 0) return true;
  uint64_t free_bytes = (uint64_t)disk.f_bfree * (uint64_t)disk.f_bsize, all = (uint64_t)disk.f_blocks * (uint64_t)disk.f_bsize;
  return free_bytes > (all / 16 < KEPT_BYTES ? all / 16 : KEPT_BYTES);
}

static bool is_unwanted(const struct place *begin, const uint64_t *wanted) {
  return !wanted || (wanted[STDOUT] >= begin->bytes[STDOUT] && wanted[STDERR] >= begin->bytes[STDERR]);
}

static int count_files(const struct log *log) {
  struct segment *segments;
  int count = segments_list(log->path, &segments);
  if (count > 0) free(segments);
  return count;
}

bool log_make_room(const struct log *log) {
  struct segment *segments;
  int count = log->max_bytes > 0 ? segments_list(log->path, &segments) : 0;
  if (count <= 0) return false;
  bool may = count > 1 && is_unwanted(&segments[1].begin, log->wanted);
  free(segments);
  if (!may) return false;
  /* That it was dropped need not be written down, for which there may be no room. */
  segments_settle(log->path, (uint32_t)count - 1);
  return count_files(log) < count;
}

static int write_batch(struct log *log) {
  int why = leaves_room(log->fd) ? 0 : ENOSPC;
  for (size_t written = 0; why == 0 && written < batch_length;) {
    ssize_t count = write(log->fd, batch + written, batch_length - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) why = errno;
    else written += (size_t)count;
  }
  /* Half a line may stand there. If it stays, whoever opens the log next cuts it off; until then nothing can be appended. */
  if (why != 0 && ftruncate(log->fd, (off_t)log->size) < 0) why = errno;
  return why;
}

/* All of the batch or nothing of it: the next try writes the very same lines. @returns 0 or errno */
static int flush(struct log *log, enum stream_name stream) {
  if (batch_length == 0) return 0;
  int why = write_batch(log);
  while ((why == ENOSPC || why == EDQUOT) && log_make_room(log)) why = write_batch(log);
  if (why == 0) {
    log->size += batch_length;
    log->totals[stream] += batch_bytes;
    log->in_line[stream] = batch_in_line;
  }
  batch_length = batch_bytes = 0;
  return why;
}

static bool begin_next(struct log *log) {
  struct place begin = {log_position(log), {log->totals[STDOUT], log->totals[STDERR]}};
  int fd = segments_rotate(log->path, log->max_files, &begin);
  if (fd < 0) return false;
  close(log->fd);
  log->fd = fd;
  log->begin = begin;
  log->size = 0;
  return true;
}

/* `2026-01-02T03:04:05.123456789+01:00 stdout F `: local time, as the format wants. @returns its length */
static size_t to_prefix(char *target, size_t room, enum stream_name stream, uint64_t at) {
  time_t seconds = (time_t)(at / 1000000000u);
  struct tm local;
  localtime_r(&seconds, &local);
  long minutes = local.tm_gmtoff / 60;
  char sign = minutes < 0 ? '-' : '+';
  if (minutes < 0) minutes = -minutes;
  return (size_t)snprintf(target, room, "%04d-%02d-%02dT%02d:%02d:%02d.%09u%c%02ld:%02ld %s F ", local.tm_year + 1900, local.tm_mon + 1,
                          local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, (unsigned)(at % 1000000000u), sign, minutes / 60,
                          minutes % 60, names[stream]);
}

size_t log_append(struct log *log, enum stream_name stream, const uint8_t *bytes, size_t count, uint64_t at, int *why) {
  char prefix[128];
  size_t prefix_length = to_prefix(prefix, sizeof prefix, stream, at);
  bool other_in_line = log->in_line[stream == STDOUT ? STDERR : STDOUT], may_rotate = log->max_bytes > 0;
  uint64_t before = log->totals[stream];
  size_t from = 0;
  int rotations = 0;
  *why = 0;
  batch_length = batch_bytes = 0;
  batch_in_line = log->in_line[stream];
  while (from < count && *why == 0) {
    size_t rest = count - from;
    const uint8_t *newline = memchr(bytes + from, '\n', rest <= LONGEST_PART ? rest : LONGEST_PART + 1);
    size_t text = newline ? (size_t)(newline - bytes) - from : rest <= LONGEST_PART ? rest : LONGEST_PART;
    size_t line = prefix_length + text + 1;
    /* A line of the process's own that was begun is ended in the same file, unless that takes more than its longest part. */
    uint64_t most = log->max_bytes + (batch_in_line || other_in_line ? LONGEST_PART : 0), grown = log->size + batch_length;
    if (may_rotate && grown > 0 && grown + line > most) {
      if ((*why = flush(log, stream)) != 0 || ++rotations > MOST_ROTATIONS) break;
      /* No room for a new file: this one grows, and the next piece tries again. */
      may_rotate = begin_next(log);
      continue;
    }
    if (batch_length + line > BATCH) {
      *why = flush(log, stream);
      continue;
    }
    memcpy(batch + batch_length, prefix, prefix_length);
    if (!newline) batch[batch_length + prefix_length - 2] = 'P';
    memcpy(batch + batch_length + prefix_length, bytes + from, text);
    batch[batch_length + line - 1] = '\n';
    batch_length += line;
    batch_bytes += text + (newline != NULL);
    batch_in_line = newline == NULL;
    if (batch_length > 4096) batch_is_large = true;
    from += text + (newline != NULL);
  }
  if (*why == 0) *why = flush(log, stream);
  return (size_t)(log->totals[stream] - before);
}

bool log_has_room(const struct log *log, uint64_t bytes, const uint64_t wanted[2]) {
  if (log->max_bytes == 0 || log->size + bytes * MOST_PER_BYTE <= log->max_bytes) return true;
  struct segment *segments;
  int count = segments_list(log->path, &segments);
  if (count < 0) return true;
  bool has = true;
  if ((uint32_t)count >= log->max_files) {
    /* The one that is the eldest when another has been begun. */
    int eldest = count - (int)log->max_files + 1;
    struct place end = {0, {log->totals[STDOUT], log->totals[STDERR]}};
    has = is_unwanted(eldest < count ? &segments[eldest].begin : &end, wanted);
  }
  free(segments);
  return has;
}

void log_trim(void) {
  if (batch_is_large) madvise(batch, sizeof batch, MADV_DONTNEED);
  batch_is_large = false;
}
