#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "listener.h"

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

void carry_shim(struct carrier *carrier) {
  uint16_t version = STATE_VERSION;
  enum orphans orphans = children_orphans();
  carry(carrier, version);
  if (carrier->from && version > STATE_VERSION) carrier->from->torn = true;
  carry_supervisor(carrier, &supervisor);
  carry(carrier, orphans);
  children_set_orphans(orphans);
  link_carry(carrier);
  listener_carry(carrier);
}

void carry_child(struct carrier *carrier, struct child *child, int *pidfd) {
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

void carry_stdio(struct carrier *carrier, struct stdio *stdio) {
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
