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

#include "children.h"
#include "control.h"
#include "link.h"
#include "requests.h"
#include "streams.h"
#include "supervisor.h"
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

void carry_value(struct carrier *carrier, void *value, size_t size) {
  uint8_t *bytes = value;
  for (size_t i = 0; i < size; i++)
    if (carrier->to) put_u8(carrier->to, bytes[i]);
    else bytes[i] = get_u8(carrier->from);
}

void carry_text(struct carrier *carrier, char **text) {
  if (carrier->to) put_text(carrier->to, *text);
  else *text = get_text(carrier->from);
}

void carry_bytes(struct carrier *carrier, uint8_t *bytes, size_t *count, size_t most) {
  if (carrier->to) return put_bytes(carrier->to, bytes, *count);
  const uint8_t *found = get_bytes(carrier->from, count);
  if (*count > most) {
    carrier->from->torn = true;
    *count = 0;
  }
  memcpy(bytes, found, *count);
}

static void carry_arguments(struct carrier *carrier, char ***argv) {
  uint32_t count = 0;
  while (carrier->to && (*argv)[count]) count++;
  carry(carrier, count);
  if (carrier->from && (count == 0 || count > 1000 || !(*argv = calloc(count + 1, sizeof **argv)))) carrier->from->torn = true;
  else
    for (uint32_t i = 0; i < count; i++) carry_text(carrier, &(*argv)[i]);
}

static void carry_supervisor(struct carrier *carrier, struct supervisor *s) {
  carry_arguments(carrier, &s->argv);
  carry(carrier, s->pid);
  carry(carrier, s->phase);
  carry(carrier, s->leaving);
  carry(carrier, s->reasons);
  carry(carrier, s->wakes);
  carry(carrier, s->woken_untold);
  carry(carrier, s->starts);
  carry(carrier, s->deaths);
  carry(carrier, s->last_status);
  carry(carrier, s->start_at);
  carry(carrier, s->kill_at);
  carry(carrier, s->deadline);
  carry(carrier, s->due_untold);
  carry(carrier, s->most);
  carry(carrier, s->period);
  carry(carrier, s->delay);
  carry(carrier, s->restarts);
  carry(carrier, s->oom_score_adj);
  carry(carrier, s->soft_files);
  carry(carrier, s->hard_files);
  carry(carrier, s->terminate);
}

static void carry_shim(struct carrier *carrier) {
  uint16_t version = STATE_VERSION;
  enum orphans orphans = children_orphans();
  carry(carrier, version);
  if (carrier->from && version > STATE_VERSION) carrier->from->torn = true;
  carry_supervisor(carrier, &supervisor);
  carry(carrier, orphans);
  children_set_orphans(orphans);
  link_carry(carrier);
  control_carry(carrier);
}

static void carry_child(struct carrier *carrier, struct child *child, int *pidfd) {
  *pidfd = child->stranger ? child->stranger->fd : -1;
  carry(carrier, *pidfd);
  carry(carrier, child->pid);
  carry(carrier, child->start_ticks);
  carry(carrier, child->ended);
  carry(carrier, child->told);
  carry(carrier, child->status);
  carry(carrier, child->user_us);
  carry(carrier, child->system_us);
  carry(carrier, child->max_rss_bytes);
  carry(carrier, child->real_ns);
  carry(carrier, child->boot_ns);
}

static void carry_log(struct carrier *carrier, struct log *log) {
  carry_text(carrier, &log->path);
  carry(carrier, log->fd);
  carry(carrier, log->max_bytes);
  carry(carrier, log->max_files);
  carry(carrier, log->begin.position);
  carry(carrier, log->begin.bytes);
  carry(carrier, log->size);
  carry(carrier, log->totals);
  carry(carrier, log->in_line);
}

static void carry_stream(struct carrier *carrier, struct stream *stream) {
  carry(carrier, stream->state);
  carry(carrier, stream->fifo);
  carry(carrier, stream->spool);
  carry(carrier, stream->spool_end);
  carry(carrier, stream->spool_begin);
  carry(carrier, stream->left);
  carry(carrier, stream->why);
}

static void carry_input(struct carrier *carrier, struct input *input) {
  size_t cookie_length = input->cookie_length, waiting = input->length - input->written;
  bool is_pending = input->bytes != NULL;
  carry(carrier, input->fd);
  carry(carrier, input->both);
  carry(carrier, is_pending);
  if (is_pending) {
    uint8_t *bytes = carrier->to ? input->bytes + input->written : malloc(FRAME_MOST);
    if (!bytes) carrier->from->torn = true;
    else carry_bytes(carrier, bytes, &waiting, FRAME_MOST);
    if (carrier->from) {
      input->bytes = bytes;
      input->length = bytes ? waiting : 0;
    }
  }
  carry(carrier, input->ends);
  carry(carrier, input->request);
  carry(carrier, input->answered);
  carry(carrier, input->failed);
  carry(carrier, input->accepted);
  carry(carrier, input->taken);
  carry_bytes(carrier, input->cookie, &cookie_length, MOST_COOKIE);
  input->cookie_length = (uint16_t)cookie_length;
}

static void carry_stdio(struct carrier *carrier, struct stdio *stdio) {
  carry(carrier, stdio->id);
  carry(carrier, stdio->flags);
  carry_text(carrier, &stdio->name);
  carry_text(carrier, &stdio->directory);
  carry_log(carrier, &stdio->log);
  for (int i = 0; i < 2; i++) carry_stream(carrier, &stdio->out[i]);
  carry_input(carrier, &stdio->input);
  carry(carrier, stdio->master);
  carry(carrier, stdio->columns);
  carry(carrier, stdio->rows);
  carry(carrier, stdio->console.fd);
  carry(carrier, stdio->console_connected);
  carry(carrier, stdio->console_directory);
  carry(carrier, stdio->held_until);
  carry(carrier, stdio->wanted);
  carry(carrier, stdio->follow);
  carry(carrier, stdio->draining);
  carry(carrier, stdio->drain_request);
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

static void keep_open(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFD, 0);
}

static void close_at_exec(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void each_fd(void (*use)(int fd)) {
  use(link_fd());
  control_fds(use);
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
