/*
 * The one program that the shim keeps: the supervisor of a container, or the coordinator of a node. It is started again when it dies,
 * more and more slowly, and not at all any more after too many deaths. It may say that it leaves: it is asleep then, and started when
 * there is something to do, or it is all over, and the shim ends as well.
 *
 * MUST hold: nothing that happens while it leaves is passed over; achieved by refusing SLEEP and END while there is something of which
 * it has not been told, and by starting it again when something came after that.
 */
#ifndef TALLY_SUPERVISOR_H
#define TALLY_SUPERVISOR_H

#include "frames.h"
#include "loop.h"

enum phase { PHASE_ASLEEP, PHASE_WAITING, PHASE_UP, PHASE_GAVE_UP };
enum leaving { STAYS, LEAVES_TO_SLEEP, LEAVES_FOR_GOOD, LEAVES_BY_SIGNAL };

/* Why it is started: bits in HELLO. */
enum reason { REASON_FIRST = 1, REASON_DIED = 2, REASON_EXIT = 4, REASON_WOKEN = 8, REASON_DUE = 16 };

#define MOST_RESTARTS 16

struct supervisor {
  char **argv;
  pid_t pid;
  enum phase phase;
  enum leaving leaving;
  uint32_t reasons;
  /* How often somebody has said WAKE: who leaves has to have seen all of it. */
  uint32_t wakes;
  bool woken_untold;
  uint64_t starts, deaths;
  /* Of the last that ended, as wait(2) encodes it; UINT32_MAX before there was one. */
  uint32_t last_status;
  /* Boottime, ns. */
  uint64_t start_at, kill_at, deadline;
  bool due_untold;
  /* So many restarts within the period, and no more; each waits twice as long as the one before, the first not at all. */
  uint32_t most;
  uint64_t period, delay;
  uint64_t restarts[MOST_RESTARTS];
  /* What it has, and the shim has not. */
  int oom_score_adj;
  uint64_t soft_files, hard_files;
  /* SIGTERM is for it. */
  bool terminate;
};

extern struct supervisor supervisor;

/* @returns whether the shim goes on: not, when all is over */
bool supervisor_run(uint64_t now);
uint64_t supervisor_due(void);
/* A child has ended; it may be this one. */
void supervisor_look(void);
void supervisor_wake(bool force);
/* There is something to do: starts it, if it is asleep. */
void supervisor_needed(enum reason);
/* @returns 0 or -errno: it has to stay */
int supervisor_leave(enum leaving, uint32_t wakes);
void supervisor_set_deadline(uint64_t at);
void supervisor_kill(void);
void supervisor_terminate(void);
void put_status(struct buffer *);

#endif
