#define _GNU_SOURCE
#include "messages.h"

#include <string.h>
#include <unistd.h>

#include "control.h"
#include "process-table.h"
#include "supervisor.h"

size_t ok_begin(struct buffer *out, uint32_t request) { return frame_begin(out, FRAME_OK, request); }

void ok_end(struct buffer *out, size_t begin, uint32_t request) {
  frame_end(out, begin);
  if (request == 0) out->length = begin;
}

void put_ok(struct buffer *out, uint32_t request) { ok_end(out, ok_begin(out, request), request); }

void put_error(struct buffer *out, uint32_t request, int failed) {
  size_t begin = frame_begin(out, FRAME_ERROR, request);
  put_u32(out, (uint32_t)failed);
  put_text(out, strerror(failed));
  frame_end(out, begin);
}

void put_hello(struct buffer *out, uint32_t reasons) {
  size_t begin = frame_begin(out, FRAME_HELLO, 0);
  put_u16(out, PROTOCOL_VERSION);
  put_u16(out, STATE_VERSION);
  put_u64(out, FEATURES);
  put_u32(out, reasons);
  put_u32(out, (uint32_t)getpid());
  put_u64(out, read_start_ticks(getpid()));
  put_u32(out, supervisor.wakes);
  put_u64(out, supervisor.starts);
  put_u64(out, supervisor.deaths);
  put_u32(out, supervisor.last_status);
  put_u8(out, (uint8_t)children_orphans());
  put_u64(out, supervisor.deadline);
  put_text(out, control_path());
  frame_end(out, begin);
}

void put_child(struct buffer *out, const struct child *child) {
  size_t begin = frame_begin(out, FRAME_CHILD, 0);
  put_u32(out, (uint32_t)child->pid);
  put_u64(out, child->start_ticks);
  put_u8(out, child->ended);
  frame_end(out, begin);
}

void put_exit(struct buffer *out, const struct child *child) {
  size_t begin = frame_begin(out, FRAME_EXIT, 0);
  put_u32(out, (uint32_t)child->pid);
  put_u64(out, child->start_ticks);
  put_u32(out, child->status);
  put_u64(out, child->user_us);
  put_u64(out, child->system_us);
  put_u64(out, child->max_rss_bytes);
  put_u64(out, child->real_ns);
  put_u64(out, child->boot_ns);
  frame_end(out, begin);
}

void put_counts(struct buffer *out, const struct stdio *stdio) {
  put_u64(out, log_position(&stdio->log));
  put_u64(out, stdio->log.totals[STDOUT]);
  put_u64(out, stdio->log.totals[STDERR]);
}

void put_stdio(struct buffer *out, const struct stdio *stdio) {
  size_t begin = frame_begin(out, FRAME_STDIO, 0);
  put_u32(out, stdio->id);
  put_u32(out, stdio->flags);
  put_text(out, stdio->name);
  put_text(out, stdio->directory);
  put_text(out, stdio->log.path);
  put_counts(out, stdio);
  put_u8(out, stdio->master >= 0);
  put_u8(out, stdio->input.fd >= 0 && !stdio->input.ends);
  put_u64(out, stdio->input.accepted);
  put_u64(out, stdio->input.taken);
  put_bytes(out, stdio->input.cookie, stdio->input.cookie_length);
  put_u8(out, stdio_is_drained(stdio));
  put_u32(out, (uint32_t)stdio->out[STDOUT].why);
  put_u32(out, (uint32_t)stdio->out[STDERR].why);
  frame_end(out, begin);
}

bool put_input_answer(struct buffer *out, struct stdio *stdio) {
  struct input *input = &stdio->input;
  uint32_t request = input->request;
  if (request == 0 || !input->answered) return false;
  input->request = 0;
  if (input->failed != 0) {
    put_error(out, request, input->failed);
    return true;
  }
  size_t begin = ok_begin(out, request);
  put_u64(out, input->taken);
  ok_end(out, begin, request);
  return true;
}

bool put_drain_answer(struct buffer *out, struct stdio *stdio) {
  uint32_t request = stdio->drain_request;
  if (request == 0 || !stdio_is_drained(stdio)) return false;
  stdio->drain_request = 0;
  size_t begin = ok_begin(out, request);
  put_counts(out, stdio);
  ok_end(out, begin, request);
  return true;
}

static bool put_growth(struct buffer *out, struct stdio *stdio) {
  if (!stdio->log.path || log_position(&stdio->log) <= stdio->follow) return false;
  stdio->follow = NEVER;
  size_t begin = frame_begin(out, FRAME_GREW, 0);
  put_u32(out, stdio->id);
  put_counts(out, stdio);
  frame_end(out, begin);
  return true;
}

bool put_news(struct buffer *out, struct stdio *stdio) {
  return put_input_answer(out, stdio) || put_drain_answer(out, stdio) || put_growth(out, stdio);
}
