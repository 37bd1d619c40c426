#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "children.h"
#include "loop.h"
#include "messages.h"
#include "requests.h"
#include "streams.h"
#include "supervisor.h"
#include "state.h"
#include "upgrade.h"

/* Room for the largest reply, and for the largest of what is told unasked. */
#define ROOM_WANTED (16u * 1024)
#define HANG_PATIENCE (1000 * MS)

static void link_ready(struct source *, uint32_t events);
static struct source source = {.fd = -1, .urgent = true, .ready = link_ready};
static _Alignas(4096) uint8_t in_bytes[FRAME_MOST];
static _Alignas(4096) uint8_t out_bytes[2 * ROOM_WANTED];
static struct buffer in = {.bytes = in_bytes, .capacity = sizeof in_bytes};
static struct buffer out = {.bytes = out_bytes, .capacity = sizeof out_bytes};
static bool is_large, has_ended;
static uint32_t start_reasons;

/* How far it has been told what the shim holds: HELLO, each child, each stdio, READY. */
static enum { SAY_HELLO, SAY_CHILDREN, SAY_STDIOS, SAID } greeting = SAID;
static size_t greeted;

int link_fd(void) { return source.fd; }
void link_tell_ok(uint32_t request) { put_ok(&out, request); }
void link_tell_error(uint32_t request, int failed) { put_error(&out, request, failed); }

void link_begin(int fd, uint32_t reasons) {
  source.fd = fd;
  in.length = out.length = 0;
  has_ended = false;
  start_reasons = reasons;
  greeting = SAY_HELLO;
  greeted = 0;
  for (size_t i = 0; i < children_count(); i++) children_at(i)->told = false;
}

static bool greet(void) {
  size_t index = 0;
  switch (greeting) {
    case SAY_HELLO:
      put_hello(&out, start_reasons);
      greeting = SAY_CHILDREN;
      return true;
    case SAY_CHILDREN:
      if (greeted < children_count()) {
        put_child(&out, children_at(greeted++));
        return true;
      }
      greeting = SAY_STDIOS;
      greeted = 0;
      /* fall through */
    case SAY_STDIOS:
      for (struct stdio *stdio = stdio_first(); stdio; stdio = stdio->next)
        if (stdio->out[0].state != DISCARDING && index++ == greeted) {
          put_stdio(&out, stdio);
          greeted++;
          return true;
        }
      greeting = SAID;
      frame_end(&out, frame_begin(&out, FRAME_READY, 0));
      return true;
    case SAID:
      break;
  }
  return false;
}

/* One thing of which it has not been told; who leaves is not told what the next has to know. @returns whether there was any */
static bool tell(void) {
  bool stays = supervisor.leaving == STAYS || supervisor.leaving == LEAVES_BY_SIGNAL;
  struct child *child = stays ? children_untold() : NULL;
  if (child) {
    put_exit(&out, child);
    child->told = true;
    return true;
  }
  if (stays && supervisor.woken_untold) {
    size_t begin = frame_begin(&out, FRAME_WOKEN, 0);
    put_u32(&out, supervisor.wakes);
    frame_end(&out, begin);
    supervisor.woken_untold = false;
    return true;
  }
  if (stays && supervisor.due_untold) {
    frame_end(&out, frame_begin(&out, FRAME_DUE, 0));
    supervisor.due_untold = false;
    return true;
  }
  for (struct stdio *stdio = stdio_first(); stdio; stdio = stdio->next)
    if (put_news(&out, stdio)) return true;
  return false;
}

static void end_of_stream(bool broken) {
  has_ended = true;
  loop_want(&source, 0);
  /* Whoever has closed the socket is about to end, or hangs; whoever breaks the protocol is not asked. */
  if (broken) supervisor_kill();
  else if (supervisor.kill_at == NEVER) supervisor.kill_at = boot_ns() + HANG_PATIENCE;
}

static void send_out(void) {
  while (out.length > 0 && !has_ended) {
    ssize_t count = send(source.fd, out.bytes, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      /* What it has still sent may be read after that. */
      if (errno != EAGAIN) out.length = 0;
      return;
    }
    buffer_drop(&out, (size_t)count);
  }
}

/* @param to_the_end nobody reads the answers any more */
static void hear(bool to_the_end) {
  size_t at = 0;
  while (!upgrade_is_due()) {
    struct frame frame;
    if (to_the_end) out.length = 0;
    else if (greeting != SAID || out.capacity - out.length < ROOM_WANTED) break;
    ssize_t length = frame_parse(in.bytes + at, in.length - at, FRAME_MOST, &frame);
    if (length < 0) {
      say("a frame that can be none: %s is ended", supervisor.argv[0]);
      in.length = at = 0;
      if (!to_the_end) end_of_stream(true);
    }
    if (length <= 0) break;
    at += (size_t)length;
    request_handle(&frame, &out, false);
  }
  buffer_drop(&in, at);
}

/* @returns whether there may be more */
static bool receive(void) {
  if (in.length == in.capacity) return false;
  ssize_t count = recv(source.fd, in.bytes + in.length, in.capacity - in.length, MSG_DONTWAIT);
  if (count > 0) in.length += (size_t)count;
  if (in.length > 4096) is_large = true;
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) end_of_stream(false);
  return count > 0;
}

static void link_ready(struct source *unused, uint32_t events) {
  (void)unused;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive();
}

void link_pump(void) {
  if (source.fd < 0 || has_ended) return;
  for (bool more = true; more;) {
    size_t heard = in.length;
    hear(false);
    more = in.length != heard;
    while (out.capacity - out.length >= ROOM_WANTED && (greet() || tell())) more = true;
    if (out.length > 4096) is_large = true;
    send_out();
    if (has_ended) return;
  }
  loop_want(&source, (in.length < in.capacity ? EPOLLIN : 0u) | (out.length > 0 ? EPOLLOUT : 0u));
}

void link_end(void) {
  if (source.fd < 0) return;
  greeting = SAID;
  do hear(true);
  while (!has_ended && receive());
  hear(true);
  loop_want(&source, 0);
  close(source.fd);
  source.fd = -1;
  in.length = out.length = 0;
}

void link_carry(struct carrier *carrier) {
  carry(carrier, greeting);
  carry(carrier, greeted);
  carry(carrier, start_reasons);
  carry_bytes(carrier, in.bytes, &in.length, in.capacity);
  carry_bytes(carrier, out.bytes, &out.length, out.capacity);
  carry(carrier, source.fd);
}

void link_trim(void) {
  if (!is_large || in.length > 0 || out.length > 0) return;
  madvise(in_bytes, sizeof in_bytes, MADV_DONTNEED);
  madvise(out_bytes, sizeof out_bytes, MADV_DONTNEED);
  is_large = false;
}
