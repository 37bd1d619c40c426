/*
 * What processes read and write, each with its log: FIFOs that are opened by path, or a terminal that the runtime sends.
 *
 * MUST hold: no byte of output is lost or doubled, wherever this program is killed; achieved by the kernel's moving bytes from the FIFO
 * into a spool, where a byte has its offset in the stream for its position, and by the log's count, which says what of the spool is in it
 * (docs/adr/0017). While the disk does not take them, nothing leaves the FIFO: it fills, and the process waits.
 */
#ifndef TALLY_STREAMS_H
#define TALLY_STREAMS_H

#include <stddef.h>

#include "frames.h"
#include "log.h"
#include "loop.h"

#define MOST_COOKIE 1024u

enum stdio_flag { STDIO_TERMINAL = 1, STDIO_INPUT = 2, STDIO_AGAIN = 4 };

enum stream_state {
  READING,
  /* The disk would not take it, or a terminal has been hung up: tried again after a while. */
  BLOCKED,
  /* Somebody has to read first what would be dropped. */
  WAITING,
  /* All that was there when the process ended is in the log. */
  DRAINED,
  /* Nobody wants it any more, but somebody writes it. */
  DISCARDING,
};

struct stream {
  struct source source;
  struct stdio *owner;
  enum stream_name name;
  enum stream_state state;
  int fifo, spool;
  /* Offset behind the last byte in the spool, and of the first since it was cut. */
  uint64_t spool_end, spool_begin;
  /* While it is drained: how much of what was there is not in the log. */
  uint64_t left;
  int why;
};

struct input {
  struct source source;
  int fd;
  /* The other end, until the process has its own. */
  int both;
  uint8_t *bytes;
  size_t length, written;
  bool ends;
  /* To be answered when the kernel has all of it. */
  uint32_t request;
  bool answered;
  int failed;
  uint64_t accepted, taken;
  /* The supervisor's own, put down together with the bytes that it came with. */
  uint8_t cookie[MOST_COOKIE];
  uint16_t cookie_length;
};

struct stdio {
  struct stdio *next;
  uint32_t id, flags;
  char *name, *directory;
  struct log log;
  /* A terminal has only the first. */
  struct stream out[2];
  struct input input;
  /* The terminal, once it has come. */
  int master;
  uint16_t columns, rows;
  struct source console;
  bool console_connected;
  /* Where a socket is that has too long a path. */
  int console_directory;
  /* Not to be dropped before then (boottime, ns), from these offsets on. */
  uint64_t held_until, wanted[2];
  /* The supervisor wants to know when the log is longer than that. */
  uint64_t follow;
  bool draining, drain_answered;
  uint32_t drain_request;
};

/* The one that has this source in it, by the name of the member. */
#define owner_of(pointer, member) ((struct stdio *)((char *)(pointer)-offsetof(struct stdio, member)))

struct stdio_options {
  uint32_t id, flags;
  const char *name, *directory, *log;
  /* Who may open the FIFOs again; -1 for nobody else. */
  uint32_t uid, gid;
  uint64_t max_bytes;
  uint32_t max_files;
  uint16_t columns, rows;
};

struct stdio *stdio_find(uint32_t id);
struct stdio *stdio_first(void);
/* @returns 0 or -errno */
int stdio_open(const struct stdio_options *, struct stdio **);
/* What `--console-socket` is told. */
void stdio_console_path(const struct stdio *, char *path, size_t room);
/* The runtime has returned. @returns 0, or -ENOTCONN when it has sent no terminal */
int stdio_hand_over(struct stdio *);
/* @returns 0, -EBUSY while there is a piece that the kernel has not taken, -EPIPE */
int stdio_input(struct stdio *, uint32_t request, const uint8_t *bytes, size_t count, const uint8_t *cookie, size_t cookie_length);
/* An end of file, after what was written before. Idempotent. */
void stdio_close_input(struct stdio *);
int stdio_resize(struct stdio *, uint16_t columns, uint16_t rows);
void stdio_hold(struct stdio *, uint64_t until, const uint64_t wanted[2]);
/* Reads what there is, and no more. */
void stdio_drain(struct stdio *, uint32_t request);
bool stdio_is_drained(const struct stdio *);
/* Goes on reading, for whoever writes still, and forgets what it reads. Nobody finds it any more. */
void stdio_discard(struct stdio *);
/* @param lost bytes that were there and are not in the log; NULL when nobody asks */
void stdio_close(struct stdio *, uint64_t lost[2]);

/* After execve: links one whose descriptors are the former image's. */
int stdio_restore(struct stdio *);
/* When something is to be tried again. */
uint64_t streams_due(void);
void streams_retry_at(uint64_t boot_ns);
void streams_retry_after(uint64_t ns);
void streams_run(uint64_t now);
/* A supervisor has been started: nobody waits for answers to the one before. */
void streams_forget_requests(void);

#endif
