#define _GNU_SOURCE
#include "requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "children.h"
#include "listener.h"
#include "messages.h"
#include "streams.h"
#include "supervisor.h"
#include "title.h"
#include "upgrade.h"

static void put_result(struct buffer *out, uint32_t request, int failed) {
  if (failed < 0) put_error(out, request, -failed);
  else put_ok(out, request);
}

/* Whoever waits for it to be drained, or for his input to be taken, is told that it is not. */
static void cancel_waiting(struct buffer *out, struct stdio *stdio) {
  int why = stdio->out[STDOUT].why != 0 ? stdio->out[STDOUT].why : stdio->out[STDERR].why;
  put_input_answer(out, stdio);
  put_drain_answer(out, stdio);
  if (stdio->drain_request != 0) put_error(out, stdio->drain_request, why != 0 ? why : ECANCELED);
  if (stdio->input.request != 0) put_error(out, stdio->input.request, ECANCELED);
  stdio->drain_request = stdio->input.request = 0;
}

static void watch(struct fields *fields, uint32_t request, struct buffer *out) {
  struct child *child;
  pid_t pid = (pid_t)get_u32(fields);
  bool is_stranger = get_u8(fields) != 0;
  int failed = fields->torn ? -EBADMSG
               : pid == supervisor.pid ? -ECHILD
               : is_stranger ? children_watch_stranger(pid, &child)
                             : children_watch(pid, &child);
  if (failed < 0) return put_error(out, request, -failed);
  size_t begin = ok_begin(out, request);
  put_u64(out, child->start_ticks);
  ok_end(out, begin, request);
}

static void open_stdio(struct fields *fields, uint32_t request, struct buffer *out) {
  struct stdio_options options = {.id = get_u32(fields), .flags = get_u32(fields) & (STDIO_TERMINAL | STDIO_INPUT | STDIO_AGAIN)};
  char *name = get_text(fields), *directory = get_text(fields), *log = get_text(fields);
  options.name = name;
  options.directory = directory;
  options.log = log;
  options.uid = get_u32(fields);
  options.gid = get_u32(fields);
  options.max_bytes = get_u64(fields);
  options.max_files = get_u32(fields);
  options.columns = get_u16(fields);
  options.rows = get_u16(fields);
  struct stdio *stdio;
  int failed = fields->torn ? -EBADMSG : 0;
  /* So that STDIO fits into a frame, and a path with a suffix into PATH_MAX. */
  if (failed == 0 && (strlen(directory) > 3900 || strlen(log) > 3900 || strlen(name) > 1000)) failed = -ENAMETOOLONG;
  if (failed == 0) failed = stdio_open(&options, &stdio);
  if (failed < 0) {
    put_error(out, request, -failed);
  } else {
    char console[4096];
    size_t begin = ok_begin(out, request);
    stdio_console_path(stdio, console, sizeof console);
    put_text(out, console);
    put_counts(out, stdio);
    ok_end(out, begin, request);
  }
  free(name);
  free(directory);
  free(log);
}

static void close_stdio(struct stdio *stdio, uint32_t request, struct buffer *out) {
  uint64_t lost[2];
  cancel_waiting(out, stdio);
  size_t begin = ok_begin(out, request);
  put_counts(out, stdio);
  stdio_close(stdio, lost);
  put_u64(out, lost[STDOUT]);
  put_u64(out, lost[STDERR]);
  ok_end(out, begin, request);
}

static void input(struct stdio *stdio, struct fields *fields, uint32_t request, struct buffer *out) {
  size_t cookie_length, count;
  const uint8_t *cookie = get_bytes(fields, &cookie_length), *bytes = get_bytes(fields, &count);
  int failed = fields->torn ? -EBADMSG : stdio_input(stdio, request, bytes, count, cookie, cookie_length);
  if (failed < 0) return put_error(out, request, -failed);
  /* Otherwise it is answered when the kernel has all of it: now, before another takes its place, or later. */
  put_input_answer(out, stdio);
}

static void drain(struct stdio *stdio, uint32_t request, struct buffer *out) {
  if (stdio->drain_request != 0) return put_error(out, request, EBUSY);
  stdio_drain(stdio, request);
  put_drain_answer(out, stdio);
}

static void discard(struct stdio *stdio, uint32_t request, struct buffer *out) {
  cancel_waiting(out, stdio);
  stdio_discard(stdio);
  put_ok(out, request);
}

static int command(struct fields *fields) {
  uint32_t count = get_u32(fields);
  if (fields->torn || count == 0 || count > 1000) return -EBADMSG;
  char **argv = calloc(count + 1, sizeof *argv);
  if (!argv) return -ENOMEM;
  for (uint32_t i = 0; i < count; i++) argv[i] = get_text(fields);
  char **unused = fields->torn ? argv : supervisor.argv;
  if (!fields->torn) supervisor.argv = argv;
  for (char **at = unused; *at; at++) free(*at);
  free(unused);
  return fields->torn ? -EBADMSG : 0;
}

static int listen_at(struct fields *fields) {
  char *path = get_text(fields);
  int failed = path ? listener_open(path) : -EBADMSG;
  free(path);
  return failed;
}

static int set_title(struct fields *fields) {
  char *text = get_text(fields);
  if (!text) return -EBADMSG;
  title_set(text);
  free(text);
  return 0;
}

/* @param request 0 for whoever is not told: his connection ends with this image */
static int ask_upgrade(struct fields *fields, uint32_t request) {
  char *path = get_text(fields);
  int failed = path ? upgrade_ask(path, request) : -EBADMSG;
  free(path);
  return failed;
}

static void put_status_reply(struct buffer *out, uint32_t request) {
  size_t begin = ok_begin(out, request);
  put_status(out);
  ok_end(out, begin, request);
}

static int hold_output(struct stdio *stdio, struct fields *fields) {
  uint64_t until = get_u64(fields), wanted[2];
  wanted[STDOUT] = get_u64(fields);
  wanted[STDERR] = get_u64(fields);
  if (fields->torn) return -EBADMSG;
  stdio_hold(stdio, until, wanted);
  return 0;
}

static void follow(struct stdio *stdio, struct fields *fields, uint32_t request, struct buffer *out) {
  uint64_t position = get_u64(fields);
  if (fields->torn) return put_error(out, request, EBADMSG);
  stdio->follow = position;
  size_t begin = ok_begin(out, request);
  put_counts(out, stdio);
  ok_end(out, begin, request);
}

static int resize(struct stdio *stdio, struct fields *fields) {
  uint16_t columns = get_u16(fields), rows = get_u16(fields);
  return fields->torn ? -EBADMSG : stdio_resize(stdio, columns, rows);
}

static int set_orphans(struct fields *fields) {
  uint8_t wanted = get_u8(fields);
  if (fields->torn || wanted > ORPHANS_TOLD) return -EBADMSG;
  children_set_orphans((enum orphans)wanted);
  /* Those that ended meanwhile, and that nobody watches. */
  children_scan(supervisor.pid);
  return 0;
}

static int leave(enum leaving leaving, struct fields *fields) {
  uint32_t wakes = get_u32(fields);
  return fields->torn ? -EBADMSG : supervisor_leave(leaving, wakes);
}

static int reap(struct fields *fields) {
  pid_t pid = (pid_t)get_u32(fields);
  return fields->torn ? -EBADMSG : children_reap(pid);
}

static int set_deadline(struct fields *fields) {
  uint64_t at = get_u64(fields);
  if (fields->torn) return -EBADMSG;
  supervisor_set_deadline(at == 0 ? NEVER : at);
  return 0;
}

static void handle_stdio(struct frame *frame, struct buffer *out) {
  struct fields *fields = &frame->fields;
  uint32_t request = frame->request, id = get_u32(fields);
  struct stdio *stdio = fields->torn ? NULL : stdio_find(id);
  if (!stdio) return put_error(out, request, fields->torn ? EBADMSG : ENOENT);
  switch (frame->type) {
    case FRAME_HAND_OVER: return put_result(out, request, stdio_hand_over(stdio));
    case FRAME_INPUT: return input(stdio, fields, request, out);
    case FRAME_RESIZE: return put_result(out, request, resize(stdio, fields));
    case FRAME_FOLLOW: return follow(stdio, fields, request, out);
    case FRAME_HOLD_OUTPUT: return put_result(out, request, hold_output(stdio, fields));
    case FRAME_CLOSE_INPUT: stdio_close_input(stdio); return put_ok(out, request);
    case FRAME_DRAIN: return drain(stdio, request, out);
    case FRAME_DISCARD: return discard(stdio, request, out);
    case FRAME_CLOSE: return close_stdio(stdio, request, out);
  }
}

void request_handle(struct frame *frame, struct buffer *out, bool is_stranger) {
  struct fields *fields = &frame->fields;
  uint32_t request = frame->request;
  switch (frame->type) {
    case FRAME_STATUS: return put_status_reply(out, request);
    case FRAME_COMMAND: return put_result(out, request, command(fields));
    case FRAME_WAKE:
      supervisor_wake(get_u8(fields) != 0);
      return put_status_reply(out, request);
    case FRAME_UPGRADE: {
      int failed = ask_upgrade(fields, is_stranger ? 0 : request);
      /* Otherwise it is answered by the new image. */
      if (failed < 0) put_error(out, request, -failed);
      return;
    }
  }
  if (is_stranger) return put_error(out, request, EPERM);
  switch (frame->type) {
    case FRAME_WATCH: return watch(fields, request, out);
    case FRAME_REAP: return put_result(out, request, reap(fields));
    case FRAME_ORPHANS: return put_result(out, request, set_orphans(fields));
    case FRAME_DEADLINE: return put_result(out, request, set_deadline(fields));
    case FRAME_SLEEP: return put_result(out, request, leave(LEAVES_TO_SLEEP, fields));
    case FRAME_END: return put_result(out, request, leave(LEAVES_FOR_GOOD, fields));
    case FRAME_LISTEN: return put_result(out, request, listen_at(fields));
    case FRAME_TITLE: return put_result(out, request, set_title(fields));
    case FRAME_OPEN: return open_stdio(fields, request, out);
    case FRAME_HAND_OVER: case FRAME_INPUT: case FRAME_RESIZE: case FRAME_FOLLOW: case FRAME_HOLD_OUTPUT: case FRAME_CLOSE_INPUT:
    case FRAME_DRAIN: case FRAME_DISCARD: case FRAME_CLOSE:
      return handle_stdio(frame, out);
  }
  put_error(out, request, ENOSYS);
}
