#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "messages.h"
#include "requests.h"
#include "supervisor.h"
#include "upgrade.h"

#define MOST_CONNECTIONS 32
#define REPLY_ROOM 1024

struct connection {
  struct source source;
  struct buffer in;
  /* When it was heard last, in no unit but that of the others. */
  uint64_t heard;
  /* The request by which it follows, and the one by which it has asked for another image. */
  uint32_t follows, upgrade;
};

static struct connection connections[MOST_CONNECTIONS];
static uint64_t times_heard;
/* What was told last. */
static enum phase told_phase;
static enum leaving told_leaving;
static pid_t told_pid;

static void drop(struct connection *connection) {
  loop_want(&connection->source, 0);
  close(connection->source.fd);
  free(connection->in.bytes);
  memset(connection, 0, sizeof *connection);
}

/* Who does not read what little there is to be read is not waited for. */
static bool answer(struct connection *connection, const struct buffer *out) {
  if (out->length == 0 || send(connection->source.fd, out->bytes, out->length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)out->length) return true;
  drop(connection);
  return false;
}

static void handle_frames(struct connection *connection) {
  struct buffer *in = &connection->in;
  for (struct frame frame; !upgrade_is_due();) {
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    ssize_t length = frame_parse(in->bytes, in->length, FRAME_MOST, &frame);
    if (length < 0) return drop(connection);
    if (length == 0) return;
    if (frame.type == FRAME_STATUS) {
      struct fields fields = frame.fields;
      connection->follows = has_more(&fields) && get_u8(&fields) != 0 ? frame.request : 0;
    }
    request_handle(&frame, &out, true);
    if (upgrade_is_due()) connection->upgrade = frame.request;
    buffer_drop(in, (size_t)length);
    if (!answer(connection, &out)) return;
  }
}

static void hear(struct source *source, uint32_t events) {
  struct connection *connection = (struct connection *)source;
  struct buffer *in = &connection->in;
  (void)events;
  /* Of another image, which is under way. */
  if (in->length == in->capacity) return;
  ssize_t count = recv(source->fd, in->bytes + in->length, in->capacity - in->length, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(connection);
  in->length += (size_t)count;
  connection->heard = ++times_heard;
  handle_frames(connection);
}

/* A free one, or that of whoever has been silent longest; of those that follow only when there is nobody else. */
static struct connection *find_place(void) {
  struct connection *silent = connections;
  for (struct connection *one = connections; one < connections + MOST_CONNECTIONS; one++) {
    if (!one->in.bytes) return one;
    bool follows = one->follows != 0, silent_follows = silent->follows != 0;
    if (follows < silent_follows || (follows == silent_follows && one->heard < silent->heard)) silent = one;
  }
  drop(silent);
  return silent;
}

int control_take(int fd) {
  uint8_t *bytes = malloc(FRAME_MOST);
  if (!bytes) {
    close(fd);
    return -ENOMEM;
  }
  struct connection *connection = find_place();
  *connection = (struct connection){
      .source = {.fd = fd, .urgent = true, .ready = hear}, .in = {.bytes = bytes, .capacity = FRAME_MOST}, .heard = ++times_heard};
  loop_want(&connection->source, EPOLLIN);
  return 0;
}

static void tell_followers(void) {
  if (told_phase == supervisor.phase && told_leaving == supervisor.leaving && told_pid == supervisor.pid) return;
  told_phase = supervisor.phase;
  told_leaving = supervisor.leaving;
  told_pid = supervisor.pid;
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++) {
    if (!connection->in.bytes || connection->follows == 0) continue;
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    size_t begin = frame_begin(&out, FRAME_OK, connection->follows);
    put_status(&out);
    frame_end(&out, begin);
    answer(connection, &out);
  }
}

void control_pump(void) {
  /* What came together with the request for an image that was none. */
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++)
    if (connection->in.length > 0) handle_frames(connection);
  tell_followers();
}

void control_tell_error(int failed) {
  for (struct connection *connection = connections; connection < connections + MOST_CONNECTIONS; connection++) {
    if (!connection->in.bytes || connection->upgrade == 0) continue;
    uint8_t bytes[REPLY_ROOM];
    struct buffer out = {.bytes = bytes, .capacity = sizeof bytes};
    put_error(&out, connection->upgrade, failed);
    connection->upgrade = 0;
    answer(connection, &out);
  }
}
