#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discard.h"
#include "fifo.h"

#define PIECE (32u * 1024)
#define PIPE_BYTES (64u * 1024)
/* The spool is cut when so much has gone through it; before that, a line that may still be going on waits for its end. */
#define MOST_SPOOL (1024u * 1024)
#define DISK_RETRY (250 * MS)
#define HUNG_UP_RETRY (1000 * MS)

static _Alignas(4096) uint8_t piece[PIECE];
static bool piece_is_large;

int output_open(struct stdio *stdio, enum stream_name name, const struct stdio_options *options) {
  static const char *const names[] = {"stdout", "stderr"};
  struct stream *stream = &stdio->out[name];
  char spool[PATH_MAX];
  const char *slash = strrchr(options->log, '/');
  snprintf(spool, sizeof spool, "%.*s%s.spool", slash ? (int)(slash - options->log + 1) : 0, options->log, names[name]);
  if ((stream->fifo = fifo_open(options, names[name], spool)) < 0) return stream->fifo;
  struct stat found;
  stream->spool = open(spool, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (stream->spool < 0 || fstat(stream->spool, &found) < 0) return -errno;
  stream->spool_end = (uint64_t)found.st_size;
  stream->source.fd = stream->fifo;
  return 0;
}

/* What a stream waits for: nothing, more output, or just its next turn. */
enum wish { NOTHING, MORE, TURN };

static void wait_for(struct stream *stream, enum wish wish) {
  int from = stream->owner->master >= 0 && wish == MORE ? stream->owner->master : stream->fifo;
  uint32_t events = wish == NOTHING ? 0 : wish == MORE ? EPOLLIN : EPOLLIN | EPOLLOUT;
  if (stream->source.fd != from) loop_want(&stream->source, 0);
  stream->source.fd = from;
  /* A FIFO that is open for both is readable, or writable, at any time. */
  loop_want(&stream->source, events);
}

void output_start(struct stream *stream) { wait_for(stream, TURN); }

static void block(struct stream *stream, int why, uint64_t retry) {
  stream->state = BLOCKED;
  stream->why = why;
  wait_for(stream, NOTHING);
  streams_retry_after(retry);
}

/* From the terminal into the FIFO, which is empty. Linux 5.10 cannot splice a terminal: there it is copied. @returns bytes or -errno */
static ssize_t move_up(struct stream *stream) {
  int master = stream->owner->master;
  ssize_t count = splice(master, NULL, stream->fifo, NULL, PIPE_BYTES, SPLICE_F_NONBLOCK);
  if (count < 0 && errno == EINVAL) {
    uint8_t bytes[4096];
    count = read(master, bytes, sizeof bytes);
    if (count > 0) count = write(stream->fifo, bytes, (size_t)count);
  }
  if (count >= 0) return count;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t move_down(struct stream *stream, size_t limit) {
  off_t at = (off_t)stream->spool_end;
  ssize_t count = splice(stream->fifo, NULL, stream->spool, &at, limit, SPLICE_F_NONBLOCK);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  stream->spool_end += (uint64_t)count;
  return count;
}

/* Into the spool. @returns how much, 0 when nothing is there, -EIO when a terminal has been hung up, -errno */
static ssize_t take(struct stream *stream, size_t limit) {
  ssize_t count = move_down(stream, limit);
  if (count != 0 || stream->owner->master < 0) return count;
  count = move_up(stream);
  return count > 0 ? move_down(stream, limit) : count;
}

static void cut_spool(struct stream *stream) {
  /* If it fails, it is only longer than it need be. */
  if (stream->spool_end != stream->spool_begin && ftruncate(stream->spool, 0) == 0) stream->spool_begin = stream->spool_end;
}

static size_t through_last_newline(const uint8_t *bytes, size_t count) {
  const uint8_t *last = memrchr(bytes, '\n', count);
  return last ? (size_t)(last - bytes) + 1 : count;
}

static void set_drained(struct stream *stream) {
  stream->state = DRAINED;
  wait_for(stream, NOTHING);
}

/* What begins no more than one file: of what somebody still wants, no more than the eldest may go. */
static size_t piece_within_a_file(const struct log *log) {
  uint64_t bytes = log->max_bytes / MOST_PER_BYTE;
  return log->max_bytes == 0 || bytes >= PIECE ? PIECE : bytes > 0 ? (size_t)bytes : 1;
}

/* One piece, from the FIFO through the spool into the log. */
void output_ready(struct source *source, uint32_t events) {
  struct stream *stream = (struct stream *)source;
  struct stdio *stdio = stream->owner;
  struct log *log = &stdio->log;
  (void)events;
  if (stream->state == DISCARDING) return discard_piece(stream);
  bool is_held = stdio->held_until > boot_ns();
  size_t most = is_held ? piece_within_a_file(log) : PIECE;
  if (is_held && !log_has_room(log, most, stdio->wanted)) {
    stream->state = WAITING;
    wait_for(stream, NOTHING);
    streams_retry_at(stdio->held_until);
    return;
  }
  log->wanted = is_held ? stdio->wanted : NULL;
  uint64_t offset = log->totals[stream->name];
  if (stream->spool_end < offset) stream->spool_end = stream->spool_begin = offset;
  size_t waiting = stream->spool_end - offset < most ? (size_t)(stream->spool_end - offset) : most;
  ssize_t taken = waiting < most ? take(stream, most - waiting) : 0;
  if (taken > 0) waiting += (size_t)taken;
  if (waiting == 0) {
    /* The spool is on the same disk. */
    bool is_full = taken == -ENOSPC || taken == -EDQUOT;
    if (is_full && log_make_room(log)) return wait_for(stream, TURN);
    if (stdio->draining && !is_full) return set_drained(stream);
    if (taken < 0) return block(stream, (int)-taken, taken == -EIO ? HUNG_UP_RETRY : DISK_RETRY);
    stream->why = 0;
    return wait_for(stream, MORE);
  }
  ssize_t got = pread(stream->spool, piece, waiting, (off_t)offset);
  if (got <= 0) return block(stream, got < 0 ? errno : EIO, DISK_RETRY);
  if (got > 4096) piece_is_large = true;
  bool is_more = (size_t)got < stream->spool_end - offset || bytes_in(stream->fifo) > 0;
  size_t whole = is_more && stream->spool_end - stream->spool_begin < MOST_SPOOL ? through_last_newline(piece, (size_t)got) : (size_t)got;
  int why;
  size_t logged = log_append(log, stream->name, piece, whole, real_ns(), &why);
  if (stream->spool_end == log->totals[stream->name] && (!is_more || stream->spool_end - stream->spool_begin >= MOST_SPOOL)) cut_spool(stream);
  if (stdio->draining) {
    stream->left = logged < stream->left ? stream->left - logged : 0;
    if (stream->left == 0) return set_drained(stream);
  }
  if (why != 0) return block(stream, why, DISK_RETRY);
  stream->why = 0;
  wait_for(stream, is_more || logged < (size_t)got || stdio->draining ? TURN : MORE);
}

void output_resume(struct stream *stream) {
  if (stream->fifo < 0) return;
  if (stream->state == BLOCKED || stream->state == WAITING) {
    stream->state = READING;
    wait_for(stream, TURN);
  }
  if (stream->state == DISCARDING) discard_wait(stream);
}

void stdio_hold(struct stdio *stdio, uint64_t until, const uint64_t wanted[2]) {
  stdio->held_until = until;
  memcpy(stdio->wanted, wanted, sizeof stdio->wanted);
  for (int i = 0; i < 2; i++)
    if (stdio->out[i].state == WAITING) output_resume(&stdio->out[i]);
}

void stdio_drain(struct stdio *stdio, uint32_t request) {
  stdio->drain_request = request;
  stdio->drain_answered = false;
  if (stdio->draining) return;
  stdio->draining = true;
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    uint64_t logged = stdio->log.totals[i];
    if (stream->fifo < 0) {
      stream->state = DRAINED;
      continue;
    }
    /* What comes later is of whoever was left behind, and may come for ever; a terminal is empty when it is hung up. */
    stream->left = bytes_in(stream->fifo) + (stream->spool_end > logged ? stream->spool_end - logged : 0);
    if (stdio->master >= 0) stream->left = NEVER;
    /* Hung up is what it is to be, and no reason to wait. */
    if (stream->state == BLOCKED && stdio->master >= 0 && stream->why == EIO) stream->state = READING;
    if (stream->left == 0) set_drained(stream);
    else if (stream->state == READING) wait_for(stream, TURN);
  }
}

bool stdio_is_drained(const struct stdio *stdio) {
  return stdio->draining && stdio->out[STDOUT].state == DRAINED && stdio->out[STDERR].state == DRAINED;
}

void output_close(struct stream *stream) {
  loop_want(&stream->source, 0);
  if (stream->fifo >= 0) close(stream->fifo);
  if (stream->spool >= 0) close(stream->spool);
  stream->fifo = stream->spool = -1;
}

uint64_t output_waiting(const struct stream *stream) {
  uint64_t logged = stream->owner->log.totals[stream->name];
  uint64_t in_spool = stream->spool_end > logged ? stream->spool_end - logged : 0;
  return in_spool + (stream->why != 0 && stream->fifo >= 0 ? bytes_in(stream->fifo) : 0);
}

void output_restore(struct stream *stream) {
  if (stream->fifo < 0 || stream->state == DRAINED) return;
  if (stream->state == DISCARDING) return discard_wait(stream);
  stream->state = READING;
  wait_for(stream, TURN);
}

void output_trim(void) {
  if (piece_is_large) madvise(piece, sizeof piece, MADV_DONTNEED);
  piece_is_large = false;
}
