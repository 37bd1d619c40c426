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

static void save_shim(struct buffer *state) {
  const struct supervisor *s = &supervisor;
  uint32_t count = 0;
  size_t begin = frame_begin(state, FRAME_STATE_SHIM, asked_by);
  put_u16(state, STATE_VERSION);
  link_save(state);
  control_save(state);
  while (s->argv[count]) count++;
  put_u32(state, count);
  for (uint32_t i = 0; i < count; i++) put_text(state, s->argv[i]);
  put_u32(state, (uint32_t)s->pid);
  put_u8(state, (uint8_t)s->phase);
  put_u8(state, (uint8_t)s->leaving);
  put_u32(state, s->reasons);
  put_u32(state, s->wakes);
  put_u8(state, s->woken_untold);
  put_u64(state, s->starts);
  put_u64(state, s->deaths);
  put_u32(state, s->last_status);
  put_u64(state, s->start_at);
  put_u64(state, s->kill_at);
  put_u64(state, s->deadline);
  put_u8(state, s->due_untold);
  put_u32(state, s->most);
  put_u64(state, s->period);
  put_u64(state, s->delay);
  for (int i = 0; i < MOST_RESTARTS; i++) put_u64(state, s->restarts[i]);
  put_u32(state, (uint32_t)s->oom_score_adj);
  put_u64(state, s->soft_files);
  put_u64(state, s->hard_files);
  put_u8(state, s->terminate);
  put_u8(state, children_are_held());
  frame_end(state, begin);
}

static int restore_shim(struct fields *fields) {
  struct supervisor *s = &supervisor;
  if (get_u16(fields) > STATE_VERSION) return -EPROTO;
  int failed = link_restore(fields);
  if (failed == 0) failed = control_restore(fields);
  uint32_t count = get_u32(fields);
  if (failed < 0 || fields->torn || count == 0 || count > 1000) return failed < 0 ? failed : -EBADMSG;
  if (!(s->argv = calloc(count + 1, sizeof *s->argv))) return -ENOMEM;
  for (uint32_t i = 0; i < count; i++) s->argv[i] = get_text(fields);
  s->pid = (pid_t)get_u32(fields);
  s->phase = (enum phase)get_u8(fields);
  s->leaving = (enum leaving)get_u8(fields);
  s->reasons = get_u32(fields);
  s->wakes = get_u32(fields);
  s->woken_untold = get_u8(fields);
  s->starts = get_u64(fields);
  s->deaths = get_u64(fields);
  s->last_status = get_u32(fields);
  s->start_at = get_u64(fields);
  s->kill_at = get_u64(fields);
  s->deadline = get_u64(fields);
  s->due_untold = get_u8(fields);
  s->most = get_u32(fields);
  s->period = get_u64(fields);
  s->delay = get_u64(fields);
  for (int i = 0; i < MOST_RESTARTS; i++) s->restarts[i] = get_u64(fields);
  s->oom_score_adj = (int)get_u32(fields);
  s->soft_files = get_u64(fields);
  s->hard_files = get_u64(fields);
  s->terminate = get_u8(fields);
  children_hold(get_u8(fields));
  return fields->torn ? -EBADMSG : 0;
}

static void save_child(struct buffer *state, const struct child *child) {
  size_t begin = frame_begin(state, FRAME_STATE_CHILD, 0);
  put_u32(state, (uint32_t)child->pid);
  put_u64(state, child->start_ticks);
  put_u8(state, child->ended);
  put_u8(state, child->told);
  put_u32(state, child->status);
  put_u64(state, child->user_us);
  put_u64(state, child->system_us);
  put_u64(state, child->max_rss_bytes);
  put_u64(state, child->real_ns);
  put_u64(state, child->boot_ns);
  frame_end(state, begin);
}

static int restore_child(struct fields *fields) {
  struct child child = {.pid = (pid_t)get_u32(fields)};
  child.start_ticks = get_u64(fields);
  child.ended = get_u8(fields);
  child.told = get_u8(fields);
  child.status = get_u32(fields);
  child.user_us = get_u64(fields);
  child.system_us = get_u64(fields);
  child.max_rss_bytes = get_u64(fields);
  child.real_ns = get_u64(fields);
  child.boot_ns = get_u64(fields);
  return fields->torn ? -EBADMSG : children_restore(&child);
}

static void save_log(struct buffer *state, const struct log *log) {
  put_text(state, log->path);
  put_u32(state, (uint32_t)log->fd);
  put_u64(state, log->max_bytes);
  put_u32(state, log->max_files);
  put_u64(state, log->begin.position);
  put_u64(state, log->size);
  for (int i = 0; i < 2; i++) {
    put_u64(state, log->begin.bytes[i]);
    put_u64(state, log->totals[i]);
    put_u8(state, log->in_line[i]);
  }
}

static void restore_log(struct fields *fields, struct log *log) {
  log->path = get_text(fields);
  log->fd = (int)get_u32(fields);
  log->max_bytes = get_u64(fields);
  log->max_files = get_u32(fields);
  log->begin.position = get_u64(fields);
  log->size = get_u64(fields);
  for (int i = 0; i < 2; i++) {
    log->begin.bytes[i] = get_u64(fields);
    log->totals[i] = get_u64(fields);
    log->in_line[i] = get_u8(fields);
  }
}

static void save_stdio(struct buffer *state, const struct stdio *stdio) {
  size_t begin = frame_begin(state, FRAME_STATE_STDIO, 0);
  put_u32(state, stdio->id);
  put_u32(state, stdio->flags);
  put_text(state, stdio->name);
  put_text(state, stdio->directory);
  save_log(state, &stdio->log);
  for (int i = 0; i < 2; i++) {
    const struct stream *stream = &stdio->out[i];
    put_u8(state, (uint8_t)stream->state);
    put_u32(state, (uint32_t)stream->fifo);
    put_u32(state, (uint32_t)stream->spool);
    put_u64(state, stream->spool_end);
    put_u64(state, stream->spool_begin);
    put_u64(state, stream->left);
  }
  const struct input *input = &stdio->input;
  put_u32(state, (uint32_t)input->fd);
  put_u32(state, (uint32_t)input->both);
  put_u8(state, input->bytes != NULL);
  put_bytes(state, input->bytes ? input->bytes + input->written : NULL, input->length - input->written);
  put_u8(state, input->ends);
  put_u32(state, input->request);
  put_u8(state, input->answered);
  put_u32(state, (uint32_t)input->failed);
  put_u64(state, input->accepted);
  put_u64(state, input->taken);
  put_bytes(state, input->cookie, input->cookie_length);
  put_u32(state, (uint32_t)stdio->master);
  put_u16(state, stdio->columns);
  put_u16(state, stdio->rows);
  put_u32(state, (uint32_t)stdio->console.fd);
  put_u32(state, (uint32_t)stdio->console_directory);
  put_u8(state, stdio->console_connected);
  put_u64(state, stdio->held_until);
  put_u64(state, stdio->wanted[STDOUT]);
  put_u64(state, stdio->wanted[STDERR]);
  put_u64(state, stdio->follow);
  put_u8(state, stdio->draining);
  put_u32(state, stdio->drain_request);
  frame_end(state, begin);
}

static int restore_stdio(struct fields *fields) {
  struct stdio *stdio = calloc(1, sizeof *stdio);
  if (!stdio) return -ENOMEM;
  stdio->id = get_u32(fields);
  stdio->flags = get_u32(fields);
  stdio->name = get_text(fields);
  stdio->directory = get_text(fields);
  restore_log(fields, &stdio->log);
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    stream->state = (enum stream_state)get_u8(fields);
    stream->fifo = (int)get_u32(fields);
    stream->spool = (int)get_u32(fields);
    stream->spool_end = get_u64(fields);
    stream->spool_begin = get_u64(fields);
    stream->left = get_u64(fields);
  }
  struct input *input = &stdio->input;
  size_t length;
  input->fd = (int)get_u32(fields);
  input->both = (int)get_u32(fields);
  bool is_pending = get_u8(fields);
  const uint8_t *bytes = get_bytes(fields, &length);
  if (is_pending) {
    if (!(input->bytes = malloc(length ? length : 1))) return -ENOMEM;
    memcpy(input->bytes, bytes, length);
    input->length = length;
  }
  input->ends = get_u8(fields);
  input->request = get_u32(fields);
  input->answered = get_u8(fields);
  input->failed = (int)get_u32(fields);
  input->accepted = get_u64(fields);
  input->taken = get_u64(fields);
  bytes = get_bytes(fields, &length);
  if (length > MOST_COOKIE) return -EBADMSG;
  memcpy(input->cookie, bytes, length);
  input->cookie_length = (uint16_t)length;
  stdio->master = (int)get_u32(fields);
  stdio->columns = get_u16(fields);
  stdio->rows = get_u16(fields);
  stdio->console.fd = (int)get_u32(fields);
  stdio->console_directory = (int)get_u32(fields);
  stdio->console_connected = get_u8(fields);
  stdio->held_until = get_u64(fields);
  stdio->wanted[STDOUT] = get_u64(fields);
  stdio->wanted[STDERR] = get_u64(fields);
  stdio->follow = get_u64(fields);
  stdio->draining = get_u8(fields);
  stdio->drain_request = get_u32(fields);
  return fields->torn ? -EBADMSG : stdio_restore(stdio);
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

static bool write_out(int fd, struct buffer *state) {
  bool is_written = !state->full && write(fd, state->bytes, state->length) == (ssize_t)state->length;
  state->length = 0;
  return is_written;
}

static bool save(int fd) {
  struct buffer state = {.bytes = malloc(STATE_ROOM), .capacity = STATE_ROOM};
  if (!state.bytes) return false;
  save_shim(&state);
  bool is_saved = write_out(fd, &state);
  for (size_t i = 0; is_saved && i < children_count(); i++) {
    save_child(&state, children_at(i));
    is_saved = write_out(fd, &state);
  }
  for (struct stdio *stdio = stdio_first(); is_saved && stdio; stdio = stdio->next) {
    save_stdio(&state, stdio);
    is_saved = write_out(fd, &state);
  }
  frame_end(&state, frame_begin(&state, FRAME_STATE_END, 0));
  is_saved = is_saved && write_out(fd, &state);
  free(state.bytes);
  return is_saved;
}

void upgrade_run(const char *title) {
  char number[16];
  int failed = ENOMEM, fd = memfd_create("tally-shim", 0);
  if (fd >= 0 && save(fd)) {
    snprintf(number, sizeof number, "%d", fd);
    each_fd(keep_open);
    execv(image, (char *[]){(char *)title, "--resume", number, NULL});
    failed = errno;
    each_fd(close_at_exec);
  }
  if (fd >= 0) close(fd);
  dprintf(STDERR_FILENO, "tally-shim: cannot become %s: %s\n", image, strerror(failed));
  free(image);
  image = NULL;
  if (link_fd() >= 0 && asked_by != 0) link_tell_error(asked_by, failed);
  control_tell_error(failed);
}

int upgrade_resume(int fd) {
  struct stat found;
  uint8_t *bytes = fstat(fd, &found) == 0 ? malloc((size_t)found.st_size + 1) : NULL;
  if (!bytes || pread(fd, bytes, (size_t)found.st_size, 0) != found.st_size) return -EIO;
  close(fd);
  int failed = -EBADMSG;
  uint32_t request = 0;
  struct frame frame;
  for (size_t at = 0;;) {
    ssize_t length = frame_parse(bytes + at, (size_t)found.st_size - at, STATE_ROOM, &frame);
    if (length <= 0) break;
    at += (size_t)length;
    if (frame.type == FRAME_STATE_END) {
      failed = 0;
      break;
    }
    if (frame.type == FRAME_STATE_SHIM) request = frame.request;
    int wrong = frame.type == FRAME_STATE_SHIM ? restore_shim(&frame.fields) : frame.type == FRAME_STATE_CHILD ? restore_child(&frame.fields)
              : frame.type == FRAME_STATE_STDIO ? restore_stdio(&frame.fields) : 0;
    if (wrong < 0) {
      failed = wrong;
      break;
    }
  }
  free(bytes);
  each_fd(close_at_exec);
  if (failed == 0 && link_fd() >= 0 && request != 0) link_tell_ok(request);
  return failed;
}
