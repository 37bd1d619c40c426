#define _GNU_SOURCE
#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "link.h"
#include "listener.h"
#include "state.h"
#include "title.h"

/* One frame of state: the link has two buffers in it, a stdio its input. */
#define STATE_ROOM (192u * 1024)

static char *image;
static uint32_t asked_by;

bool upgrade_is_due(void) { return image != NULL; }

int upgrade_ask(const char *path, uint32_t request) {
  if (access(path, X_OK) < 0) return -errno;
  asked_by = request;
  return (image = strdup(path)) ? 0 : -ENOMEM;
}

void upgrade_forget_request(void) { asked_by = 0; }

static void keep_open(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFD, 0);
}

static void close_at_exec(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void each_fd(void (*use)(int fd)) {
  use(link_fd());
  listener_fds(use);
  for (size_t i = 0; i < children_count(); i++)
    if (children_at(i)->stranger) use(children_at(i)->stranger->fd);
  for (struct stdio *stdio = stdio_first(); stdio; stdio = stdio->next) {
    for (int i = 0; i < 2; i++) {
      use(stdio->out[i].fifo);
      use(stdio->out[i].spool);
    }
    use(stdio->log.fd);
    use(stdio->input.fd);
    use(stdio->input.both);
    use(stdio->master);
    use(stdio->console.fd);
    use(stdio->console_directory);
  }
}

/* @returns whether the frame that has been put is in the file */
static bool write_frame(int fd, struct buffer *state) {
  frame_end(state, 0);
  bool is_written = !state->full && write(fd, state->bytes, state->length) == (ssize_t)state->length;
  state->length = 0;
  return is_written;
}

static bool save(int fd) {
  struct buffer state = {.bytes = malloc(STATE_ROOM), .capacity = STATE_ROOM};
  struct carrier carrier = {.to = &state};
  int pidfd;
  if (!state.bytes) return false;
  frame_begin(&state, FRAME_STATE_SHIM, asked_by);
  carry_shim(&carrier);
  bool is_saved = write_frame(fd, &state);
  for (size_t i = 0; is_saved && i < children_count(); i++) {
    frame_begin(&state, FRAME_STATE_CHILD, 0);
    carry_child(&carrier, children_at(i), &pidfd);
    is_saved = write_frame(fd, &state);
  }
  for (struct stdio *stdio = stdio_first(); is_saved && stdio; stdio = stdio->next) {
    frame_begin(&state, FRAME_STATE_STDIO, 0);
    carry_stdio(&carrier, stdio);
    is_saved = write_frame(fd, &state);
  }
  frame_begin(&state, FRAME_STATE_END, 0);
  is_saved = is_saved && write_frame(fd, &state);
  free(state.bytes);
  return is_saved;
}

void upgrade_run(void) {
  char number[16];
  int failed = ENOMEM, fd = memfd_create("tally-shim", 0);
  if (fd >= 0 && save(fd)) {
    snprintf(number, sizeof number, "%d", fd);
    char **argv = title_hand_over("--resume", number);
    each_fd(keep_open);
    if (argv) execv(image, argv);
    failed = argv ? errno : ENOMEM;
    each_fd(close_at_exec);
    free(argv);
  }
  if (fd >= 0) close(fd);
  say("cannot become %s: %s", image, strerror(failed));
  free(image);
  image = NULL;
  if (link_fd() >= 0 && asked_by != 0) link_tell_error(asked_by, failed);
  control_tell_error(failed);
}

static int restore_child(struct carrier *carrier) {
  struct child child = {0};
  int pidfd;
  carry_child(carrier, &child, &pidfd);
  return carrier->from->torn ? -EBADMSG : children_restore(&child, pidfd);
}

static int restore_stdio(struct carrier *carrier) {
  struct stdio *stdio = calloc(1, sizeof *stdio);
  if (!stdio) return -ENOMEM;
  carry_stdio(carrier, stdio);
  return carrier->from->torn ? -EBADMSG : stdio_restore(stdio);
}

static int restore(struct frame *frame) {
  struct carrier carrier = {.from = &frame->fields};
  switch (frame->type) {
    case FRAME_STATE_CHILD: return restore_child(&carrier);
    case FRAME_STATE_STDIO: return restore_stdio(&carrier);
    case FRAME_STATE_SHIM:
      asked_by = frame->request;
      carry_shim(&carrier);
      return frame->fields.torn ? -EBADMSG : 0;
  }
  return 0;
}

int upgrade_resume(int fd) {
  struct stat found;
  uint8_t *bytes = fstat(fd, &found) == 0 ? malloc((size_t)found.st_size + 1) : NULL;
  if (!bytes || pread(fd, bytes, (size_t)found.st_size, 0) != found.st_size) return -EIO;
  close(fd);
  struct frame frame = {0};
  int failed = 0;
  for (size_t at = 0; failed == 0 && frame.type != FRAME_STATE_END;) {
    ssize_t length = frame_parse(bytes + at, (size_t)found.st_size - at, STATE_ROOM, &frame);
    failed = length > 0 ? restore(&frame) : -EBADMSG;
    at += length > 0 ? (size_t)length : 0;
  }
  free(bytes);
  each_fd(close_at_exec);
  if (failed == 0 && link_fd() >= 0 && asked_by != 0) link_tell_ok(asked_by);
  return failed;
}
