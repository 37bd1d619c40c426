#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fifo.h"

#define INPUT_RETRY (20 * MS)

int input_open(struct stdio *stdio, const struct stdio_options *options) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/stdin", options->directory);
  if (!(options->flags & STDIO_AGAIN)) {
    /* Neither end can be opened before the other; for both it can, and this one goes when the process has its own. */
    stdio->input.both = fifo_open(options, "stdin", NULL);
    if (stdio->input.both < 0) return stdio->input.both;
  }
  stdio->input.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  /* ENXIO: nobody reads it any more. */
  if (stdio->input.fd < 0 && (!(options->flags & STDIO_AGAIN) || (errno != ENXIO && errno != ENOENT))) return -errno;
  return 0;
}

static void drop_input(struct input *input) {
  free(input->bytes);
  input->bytes = NULL;
  input->length = input->written = 0;
}

void input_end(struct stdio *stdio, int failed) {
  struct input *input = &stdio->input;
  drop_input(input);
  input->failed = failed;
  input->answered = true;
  if (stdio->flags & STDIO_TERMINAL) return;
  loop_want(&input->source, 0);
  if (input->fd >= 0) close(input->fd);
  if (input->both >= 0) close(input->both);
  input->fd = input->both = -1;
}

/* As much as the kernel takes. @returns 0, or errno of a reader that is gone */
static int write_some(struct input *input, const uint8_t *bytes, size_t count, size_t *written) {
  for (*written = 0; *written < count;) {
    ssize_t got = write(input->fd, bytes + *written, count - *written);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? 0 : errno;
    *written += (size_t)got;
    input->taken += (uint64_t)got;
  }
  return 0;
}

static void await_room(struct stdio *stdio) {
  /* Nothing tells reliably of room in a terminal but trying. */
  if (stdio->flags & STDIO_TERMINAL) return streams_retry_after(INPUT_RETRY);
  stdio->input.source.fd = stdio->input.fd;
  loop_want(&stdio->input.source, EPOLLOUT);
}

static void write_input(struct stdio *stdio) {
  struct input *input = &stdio->input;
  size_t written;
  int failed = write_some(input, input->bytes + input->written, input->length - input->written, &written);
  if (failed != 0) return input_end(stdio, failed);
  input->written += written;
  if (input->written < input->length) return await_room(stdio);
  drop_input(input);
  loop_want(&input->source, 0);
  input->answered = true;
  if (input->ends) stdio_close_input(stdio);
}

void input_ready(struct source *source, uint32_t events) {
  (void)events;
  write_input(owner_of(source, input.source));
}

int stdio_input(struct stdio *stdio, uint32_t request, const uint8_t *bytes, size_t count, const uint8_t *cookie, size_t cookie_length) {
  struct input *input = &stdio->input;
  if (input->bytes) return -EBUSY;
  if (input->fd < 0) return -EPIPE;
  if (input->ends) return stdio->flags & STDIO_TERMINAL ? -EBUSY : -EPIPE;
  if (cookie_length > MOST_COOKIE) return -EMSGSIZE;
  uint8_t *rest = malloc(count ? count : 1);
  if (!rest) return -ENOMEM;
  memcpy(rest, bytes, count);
  memcpy(input->cookie, cookie, cookie_length);
  input->cookie_length = (uint16_t)cookie_length;
  input->accepted += count;
  input->bytes = rest;
  input->length = count;
  input->written = 0;
  input->request = request;
  input->answered = false;
  input->failed = 0;
  write_input(stdio);
  return 0;
}

void stdio_close_input(struct stdio *stdio) {
  static const uint8_t end_of_transmission[] = {4};
  struct input *input = &stdio->input;
  bool terminal = (stdio->flags & STDIO_TERMINAL) != 0;
  input->ends = true;
  if (input->bytes) return;
  if (!terminal && input->fd >= 0) {
    loop_want(&input->source, 0);
    close(input->fd);
    if (input->both >= 0) close(input->both);
    input->fd = input->both = -1;
  }
  if (!terminal || input->fd < 0) return;
  /* Ends the line that is being typed, and is an end of file where there is none: VEOF of termios(3). More may be typed after it. */
  size_t written;
  int failed = write_some(input, end_of_transmission, 1, &written);
  input->taken -= written;
  input->ends = failed == 0 && written == 0;
  if (input->ends) await_room(stdio);
}

void input_resume(struct stdio *stdio) {
  if (stdio->input.bytes) write_input(stdio);
  else if (stdio->input.ends) stdio_close_input(stdio);
}

void input_close(struct stdio *stdio) {
  struct input *input = &stdio->input;
  loop_want(&input->source, 0);
  if (input->fd >= 0 && input->fd != stdio->master) close(input->fd);
  if (input->both >= 0) close(input->both);
  drop_input(input);
}
