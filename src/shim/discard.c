#define _GNU_SOURCE
#include "discard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "output.h"

#define DISCARD_PAUSE (20 * MS)

bool discard_begin(struct stream *stream) {
  char path[64];
  /* For reading alone, so that the end of the last writer is seen. */
  snprintf(path, sizeof path, "/proc/self/fd/%d", stream->fifo);
  int reader = stream->fifo >= 0 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  output_close(stream);
  stream->fifo = reader;
  stream->state = DISCARDING;
  if (reader >= 0) discard_wait(stream);
  return reader >= 0;
}

void discard_wait(struct stream *stream) {
  stream->source.fd = stream->owner->master >= 0 ? stream->owner->master : stream->fifo;
  loop_want(&stream->source, EPOLLIN);
}

void discard_piece(struct stream *stream) {
  uint8_t piece[4096];
  struct stdio *stdio = stream->owner;
  int fd = stdio->master >= 0 ? stdio->master : stream->fifo;
  ssize_t count = read(fd, piece, sizeof piece);
  if (count == sizeof piece) {
    /* A flood that nobody wants is slowed down. */
    loop_want(&stream->source, 0);
    streams_retry_after(DISCARD_PAUSE);
  } else if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
    /* The last writer has gone. */
    loop_want(&stream->source, 0);
    close(stream->fifo);
    stream->fifo = -1;
    if (stdio->out[STDOUT].fifo < 0 && stdio->out[STDERR].fifo < 0) stdio_close(stdio, NULL);
  }
}
