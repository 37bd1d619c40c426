#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "console.h"
#include "discard.h"
#include "input.h"
#include "output.h"

static struct stdio *first;
/* When what is blocked is tried again, all of it. */
static uint64_t retry_at = NEVER;

void streams_retry_at(uint64_t at) {
  if (at < retry_at) retry_at = at;
}

void streams_retry_after(uint64_t ns) { streams_retry_at(boot_ns() + ns); }

struct stdio *stdio_first(void) { return first; }

struct stdio *stdio_find(uint32_t id) {
  for (struct stdio *stdio = first; stdio; stdio = stdio->next)
    if (stdio->id == id && stdio->out[0].state != DISCARDING) return stdio;
  return NULL;
}

static struct stdio *make_stdio(void) {
  struct stdio *stdio = calloc(1, sizeof *stdio);
  if (!stdio) return NULL;
  stdio->log.fd = stdio->master = stdio->input.fd = stdio->input.both = stdio->console.fd = stdio->console_directory = -1;
  stdio->follow = NEVER;
  for (int i = 0; i < 2; i++)
    stdio->out[i] = (struct stream){.source = {.fd = -1}, .fifo = -1, .spool = -1};
  return stdio;
}

/* Sources point to where they are: set when that is settled. */
static void link_stdio(struct stdio *stdio) {
  for (int i = 0; i < 2; i++) {
    stdio->out[i].owner = stdio;
    stdio->out[i].name = (enum stream_name)i;
    stdio->out[i].source.ready = output_ready;
    stdio->out[i].source.fd = stdio->out[i].fifo;
  }
  stdio->input.source.ready = input_ready;
  stdio->console.ready = console_ready;
  stdio->next = first;
  first = stdio;
}

/* So many are not for stdios, so that a supervisor can be started, and whoever asks over the socket be heard. */
#define KEPT_DESCRIPTORS 48

static bool leaves_descriptors(void) {
  struct rlimit files;
  int lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (lowest < 0) return false;
  close(lowest);
  return getrlimit(RLIMIT_NOFILE, &files) < 0 || (rlim_t)lowest + KEPT_DESCRIPTORS < files.rlim_cur;
}

int stdio_open(const struct stdio_options *options, struct stdio **opened) {
  if (stdio_find(options->id)) return -EEXIST;
  struct stdio *stdio = make_stdio();
  if (!stdio) return -ENOMEM;
  bool terminal = (options->flags & STDIO_TERMINAL) != 0;
  stdio->id = options->id;
  stdio->flags = options->flags;
  stdio->columns = options->columns;
  stdio->rows = options->rows;
  stdio->name = strdup(options->name);
  stdio->directory = strdup(options->directory);
  link_stdio(stdio);
  int failed = stdio->name && stdio->directory ? log_open(&stdio->log, options->log, options->max_bytes, options->max_files) : -ENOMEM;
  if (failed == 0) failed = output_open(stdio, STDOUT, options);
  if (failed == 0 && !terminal) failed = output_open(stdio, STDERR, options);
  if (failed == 0 && !terminal && (options->flags & STDIO_INPUT)) failed = input_open(stdio, options);
  if (failed == 0 && terminal && !(options->flags & STDIO_AGAIN)) failed = console_open(stdio);
  if (failed == 0 && !leaves_descriptors()) failed = -EMFILE;
  if (failed != 0) {
    stdio_close(stdio, NULL);
    return failed;
  }
  /* What waits already. */
  for (int i = 0; i < 2; i++)
    if (stdio->out[i].fifo >= 0) output_start(&stdio->out[i]);
  *opened = stdio;
  return 0;
}

int stdio_hand_over(struct stdio *stdio) {
  if (stdio->input.both >= 0) close(stdio->input.both);
  stdio->input.both = -1;
  if (!(stdio->flags & STDIO_TERMINAL)) return 0;
  console_take(stdio);
  return stdio->master < 0 && !(stdio->flags & STDIO_AGAIN) ? -ENOTCONN : 0;
}

void stdio_discard(struct stdio *stdio) {
  input_end(stdio, EPIPE);
  console_close(stdio);
  bool any = false;
  for (int i = 0; i < 2; i++) any |= discard_begin(&stdio->out[i]);
  log_close(&stdio->log);
  if (!any) stdio_close(stdio, NULL);
}

void stdio_close(struct stdio *stdio, uint64_t lost[2]) {
  for (int i = 0; i < 2; i++) {
    if (lost) lost[i] = output_waiting(&stdio->out[i]);
    output_close(&stdio->out[i]);
  }
  console_close(stdio);
  input_close(stdio);
  if (stdio->master >= 0) close(stdio->master);
  log_close(&stdio->log);
  for (struct stdio **at = &first; *at; at = &(*at)->next)
    if (*at == stdio) {
      *at = stdio->next;
      break;
    }
  free(stdio->name);
  free(stdio->directory);
  free(stdio);
}

int stdio_restore(struct stdio *stdio) {
  link_stdio(stdio);
  if (stdio->console.fd >= 0) loop_want(&stdio->console, EPOLLIN);
  for (int i = 0; i < 2; i++) output_restore(&stdio->out[i]);
  input_resume(stdio);
  return 0;
}

uint64_t streams_due(void) { return retry_at; }

void streams_run(uint64_t now) {
  if (now < retry_at) return;
  retry_at = NEVER;
  for (struct stdio *stdio = first, *next; stdio; stdio = next) {
    next = stdio->next;
    for (int i = 0; i < 2; i++) output_resume(&stdio->out[i]);
    if (stdio->flags & STDIO_TERMINAL) input_resume(stdio);
  }
}

void streams_forget_requests(void) {
  for (struct stdio *stdio = first; stdio; stdio = stdio->next) {
    stdio->input.request = stdio->drain_request = 0;
    stdio->follow = NEVER;
  }
}
