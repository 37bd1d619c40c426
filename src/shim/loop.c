#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Of two sets, the second is a member of the first. */
static int urgent_set = -1, bulk_set = -1;

static void one_piece(struct source *, uint32_t events);
static void alarm_rang(struct source *, uint32_t events);
static struct source bulk = {.fd = -1, .urgent = true, .ready = one_piece};
static struct source timer = {.fd = -1, .urgent = true, .ready = alarm_rang};
static uint64_t timer_at = NEVER;

int loop_open(void) {
  urgent_set = epoll_create1(EPOLL_CLOEXEC);
  bulk_set = bulk.fd = epoll_create1(EPOLL_CLOEXEC);
  timer.fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (urgent_set < 0 || bulk_set < 0 || timer.fd < 0) return -errno;
  loop_want(&bulk, EPOLLIN);
  loop_want(&timer, EPOLLIN);
  return 0;
}

void loop_want(struct source *source, uint32_t events) {
  if (source->interest == events) return;
  struct epoll_event event = {.events = events, .data = {.ptr = source}};
  int how = events == 0 ? EPOLL_CTL_DEL : source->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  /* Fails only for want of memory; then it is tried again with the next change. */
  if (epoll_ctl(source->urgent ? urgent_set : bulk_set, how, source->fd, &event) == 0 || how == EPOLL_CTL_DEL) source->interest = events;
}

static void set_timer(uint64_t at) {
  if (at == timer_at) return;
  struct itimerspec spec = {.it_value = {0, 0}};
  if (at != NEVER) {
    /* 0 would switch it off. */
    uint64_t ns = at == 0 ? 1 : at;
    spec.it_value.tv_sec = (time_t)(ns / 1000000000u);
    spec.it_value.tv_nsec = (long)(ns % 1000000000u);
  }
  if (timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0) timer_at = at;
}

void loop_turn(uint64_t deadline, void (*idle)(void)) {
  struct epoll_event events[8];
  set_timer(deadline);
  int count = epoll_wait(urgent_set, events, 8, 0);
  if (count == 0) {
    idle();
    count = epoll_wait(urgent_set, events, 8, -1);
  }
  bool bulk_ready = false;
  for (int i = 0; i < count; i++) {
    struct source *source = events[i].data.ptr;
    if (source == &bulk) bulk_ready = true;
    /* One of those before may have ended this one. */
    else if (source->interest != 0) source->ready(source, events[i].events);
  }
  if (bulk_ready) one_piece(&bulk, EPOLLIN);
}

static void one_piece(struct source *unused, uint32_t events) {
  (void)unused;
  (void)events;
  struct epoll_event event;
  if (epoll_wait(bulk_set, &event, 1, 0) != 1) return;
  struct source *source = event.data.ptr;
  source->ready(source, event.events);
}

/* What is due everybody looks up for himself, after each turn. */
static void alarm_rang(struct source *source, uint32_t events) {
  (void)events;
  uint64_t count;
  if (read(source->fd, &count, sizeof count) > 0) timer_at = NEVER;
}

static uint64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t boot_ns(void) { return read_clock(CLOCK_BOOTTIME); }
uint64_t real_ns(void) { return read_clock(CLOCK_REALTIME); }

void say(const char *format, ...) {
  char text[1024] = "tally-shim: ";
  const size_t prefix = sizeof "tally-shim: " - 1;
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text + prefix, sizeof text - prefix - 1, format, arguments);
  va_end(arguments);
  if (length < 0 || poll(&out, 1, 0) != 1) return;
  size_t end = prefix + ((size_t)length < sizeof text - prefix - 1 ? (size_t)length : sizeof text - prefix - 2);
  text[end++] = '\n';
  if (write(STDERR_FILENO, text, end) < 0) return;
}
