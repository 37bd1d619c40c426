/*
 * One thread, one loop. What is urgent (frames, exits, the clock) is looked at before each single piece of output, so that no flood
 * delays it by more than that piece.
 */
#ifndef TALLY_LOOP_H
#define TALLY_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct source {
  int fd;
  bool urgent;
  /* Kept by the loop: 0 while nobody waits for it. */
  uint32_t interest;
  void (*ready)(struct source *, uint32_t events);
};

#define NEVER UINT64_MAX
#define MS 1000000ull

int loop_open(void);
/* What to wait for; 0 for nothing, which MUST be said before the descriptor is closed. */
void loop_want(struct source *, uint32_t events);
/* Waits for something to do, no longer than until then (boottime, ns), and does it. @returns whether anything was there at once */
void loop_turn(uint64_t deadline, void (*idle)(void));

/* CLOCK_BOOTTIME, which goes on while the host is suspended. */
uint64_t boot_ns(void);
uint64_t real_ns(void);

/* To stderr, unless nobody reads it: then it would be waited for. */
void say(const char *format, ...);

#endif
