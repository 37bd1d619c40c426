#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE (32u * 1024)
#define PIPE_BYTES (64u * 1024)
/* The spool is cut when so much has gone through it; before that, a line that may still be going on waits for its end. */
#define MOST_SPOOL (1024u * 1024)
#define DISK_RETRY (250 * MS)
#define HUNG_UP_RETRY (1000 * MS)
#define INPUT_RETRY (20 * MS)
#define DISCARD_PAUSE (20 * MS)

#define owner_of(pointer, member) ((struct stdio *)((char *)(pointer)-offsetof(struct stdio, member)))

static struct stdio *first;
static _Alignas(4096) uint8_t piece[PIECE];
static bool piece_is_large;
/* When what is blocked is tried again, all of it. */
static uint64_t retry_at = NEVER;

static void retry_after(uint64_t ns) {
  uint64_t at = boot_ns() + ns;
  if (at < retry_at) retry_at = at;
}

struct stdio *stdio_first(void) { return first; }

struct stdio *stdio_find(uint32_t id) {
  for (struct stdio *stdio = first; stdio; stdio = stdio->next)
    if (stdio->id == id && stdio->out[0].state != DISCARDING) return stdio;
  return NULL;
}

static size_t bytes_in(int pipe) {
  int count = 0;
  return ioctl(pipe, FIONREAD, &count) < 0 || count < 0 ? 0 : (size_t)count;
}

/* What a stream waits for: nothing, more output, or just its next turn. */
enum wish { NOTHING, MORE, TURN };

static void wait_for(struct stream *stream, enum wish wish) {
  int from = stream->owner->master >= 0 && wish == MORE ? stream->owner->master : stream->fifo;
  uint32_t events = wish == NOTHING ? 0 : wish == MORE ? EPOLLIN : EPOLLIN | EPOLLOUT;
  if (stream->source.fd != from) loop_want(&stream->source, 0);
  stream->source.fd = from;
  /* A FIFO that is open for both is readable, or writable, at any time. */
  loop_want(&stream->source, events);
}

static void block(struct stream *stream, int why, uint64_t retry) {
  stream->state = BLOCKED;
  stream->why = why;
  wait_for(stream, NOTHING);
  retry_after(retry);
}

/* From the terminal into the FIFO, which is empty. Linux 5.10 cannot splice a terminal: there it is copied. @returns bytes or -errno */
static ssize_t move_up(struct stream *stream) {
  int master = stream->owner->master;
  ssize_t count = splice(master, NULL, stream->fifo, NULL, PIPE_BYTES, SPLICE_F_NONBLOCK);
  if (count < 0 && errno == EINVAL) {
    uint8_t bytes[4096];
    count = read(master, bytes, sizeof bytes);
    if (count > 0) count = write(stream->fifo, bytes, (size_t)count);
  }
  if (count >= 0) return count;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t move_down(struct stream *stream, size_t limit) {
  off_t at = (off_t)stream->spool_end;
  ssize_t count = splice(stream->fifo, NULL, stream->spool, &at, limit, SPLICE_F_NONBLOCK);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  stream->spool_end += (uint64_t)count;
  return count;
}

/* Into the spool. @returns how much, 0 when nothing is there, -EIO when a terminal has been hung up, -errno */
static ssize_t take(struct stream *stream, size_t limit) {
  ssize_t count = move_down(stream, limit);
  if (count != 0 || stream->owner->master < 0) return count;
  count = move_up(stream);
  return count > 0 ? move_down(stream, limit) : count;
}

static void discard_piece(struct stream *stream) {
  struct stdio *stdio = stream->owner;
  int fd = stdio->master >= 0 ? stdio->master : stream->fifo;
  ssize_t count = read(fd, piece, PIECE);
  if (count > 4096) piece_is_large = true;
  if (count >= 4096) {
    /* A flood that nobody wants is slowed down. */
    loop_want(&stream->source, 0);
    retry_after(DISCARD_PAUSE);
  } else if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
    /* The last writer has gone. */
    loop_want(&stream->source, 0);
    close(stream->fifo);
    stream->fifo = -1;
    if (stdio->out[STDOUT].fifo < 0 && stdio->out[STDERR].fifo < 0) stdio_close(stdio, NULL);
  }
}

static void cut_spool(struct stream *stream) {
  /* If it fails, it is only longer than it need be. */
  if (stream->spool_end != stream->spool_begin && ftruncate(stream->spool, 0) == 0) stream->spool_begin = stream->spool_end;
}

static size_t through_last_newline(const uint8_t *bytes, size_t count) {
  const uint8_t *last = memrchr(bytes, '\n', count);
  return last ? (size_t)(last - bytes) + 1 : count;
}

static void set_drained(struct stream *stream) {
  stream->state = DRAINED;
  wait_for(stream, NOTHING);
}

/* What begins no more than one file: of what somebody still wants, no more than the eldest may go. */
static size_t piece_within_a_file(const struct log *log) {
  uint64_t bytes = log->max_bytes / MOST_PER_BYTE;
  return log->max_bytes == 0 || bytes >= PIECE ? PIECE : bytes > 0 ? (size_t)bytes : 1;
}

/* One piece, from the FIFO through the spool into the log. */
static void read_piece(struct source *source, uint32_t events) {
  struct stream *stream = (struct stream *)source;
  struct stdio *stdio = stream->owner;
  struct log *log = &stdio->log;
  (void)events;
  if (stream->state == DISCARDING) return discard_piece(stream);
  bool is_held = stdio->held_until > boot_ns();
  size_t most = is_held ? piece_within_a_file(log) : PIECE;
  if (is_held && !log_has_room(log, most, stdio->wanted)) {
    stream->state = WAITING;
    wait_for(stream, NOTHING);
    if (stdio->held_until < retry_at) retry_at = stdio->held_until;
    return;
  }
  uint64_t offset = log->totals[stream->name];
  if (stream->spool_end < offset) stream->spool_end = stream->spool_begin = offset;
  size_t waiting = stream->spool_end - offset < most ? (size_t)(stream->spool_end - offset) : most;
  ssize_t taken = waiting < most ? take(stream, most - waiting) : 0;
  if (taken > 0) waiting += (size_t)taken;
  if (waiting == 0) {
    if (stdio->draining) return set_drained(stream);
    if (taken < 0) return block(stream, (int)-taken, taken == -EIO ? HUNG_UP_RETRY : DISK_RETRY);
    stream->why = 0;
    return wait_for(stream, MORE);
  }
  ssize_t got = pread(stream->spool, piece, waiting, (off_t)offset);
  if (got <= 0) return block(stream, got < 0 ? errno : EIO, DISK_RETRY);
  if (got > 4096) piece_is_large = true;
  bool is_more = (size_t)got < stream->spool_end - offset || bytes_in(stream->fifo) > 0;
  size_t whole = is_more && stream->spool_end - stream->spool_begin < MOST_SPOOL ? through_last_newline(piece, (size_t)got) : (size_t)got;
  int why;
  size_t logged = log_append(log, stream->name, piece, whole, real_ns(), &why);
  if (stream->spool_end == log->totals[stream->name] && (!is_more || stream->spool_end - stream->spool_begin >= MOST_SPOOL)) cut_spool(stream);
  if (stdio->draining) {
    stream->left = logged < stream->left ? stream->left - logged : 0;
    if (stream->left == 0) return set_drained(stream);
  }
  if (why != 0) return block(stream, why, DISK_RETRY);
  stream->why = 0;
  wait_for(stream, is_more || logged < (size_t)got || stdio->draining ? TURN : MORE);
}

/* One that exists is left as it is: something may wait in it. @returns its descriptor or -errno */
static int open_fifo(const struct stdio_options *options, const char *name, const char *spool) {
  char path[PATH_MAX];
  struct stat found;
  snprintf(path, sizeof path, "%s/%s", options->directory, name);
  bool is_new = mkfifo(path, 0600) == 0;
  /* It was put back as a link to the descriptor of a process, which has ended since. */
  if (!is_new && errno == EEXIST && stat(path, &found) < 0 && errno == ENOENT) is_new = unlink(path) == 0 && mkfifo(path, 0600) == 0;
  /* What another boot of the host has left of a spool may be anything. */
  if (is_new && spool) unlink(spool);
  if (is_new && options->uid != UINT32_MAX && chown(path, options->uid, options->gid) < 0) return -errno;
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode)) return fd;
  close(fd);
  return -EINVAL;
}

static int open_stream(struct stdio *stdio, enum stream_name name, const struct stdio_options *options) {
  static const char *const names[] = {"stdout", "stderr"};
  struct stream *stream = &stdio->out[name];
  char spool[PATH_MAX];
  const char *slash = strrchr(options->log, '/');
  snprintf(spool, sizeof spool, "%.*s%s.spool", slash ? (int)(slash - options->log + 1) : 0, options->log, names[name]);
  if ((stream->fifo = open_fifo(options, names[name], spool)) < 0) return stream->fifo;
  struct stat found;
  stream->spool = open(spool, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (stream->spool < 0 || fstat(stream->spool, &found) < 0) return -errno;
  stream->spool_end = (uint64_t)found.st_size;
  stream->source.fd = stream->fifo;
  return 0;
}

static int open_input(struct stdio *stdio, const struct stdio_options *options) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/stdin", options->directory);
  if (!(options->flags & STDIO_AGAIN)) {
    /* Neither end can be opened before the other; for both it can, and this one goes when the process has its own. */
    stdio->input.both = open_fifo(options, "stdin", NULL);
    if (stdio->input.both < 0) return stdio->input.both;
  }
  stdio->input.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  /* ENXIO: nobody reads it any more. */
  if (stdio->input.fd < 0 && (!(options->flags & STDIO_AGAIN) || (errno != ENXIO && errno != ENOENT))) return -errno;
  return 0;
}

void stdio_console_path(const struct stdio *stdio, char *path, size_t room) {
  if (stdio->console.fd < 0) path[0] = 0;
  else if (stdio->console_directory < 0) snprintf(path, room, "%s/console.sock", stdio->directory);
  else snprintf(path, room, "/proc/%d/fd/%d/console.sock", (int)getpid(), stdio->console_directory);
}

static void receive_terminal(struct source *, uint32_t events);

static int open_console(struct stdio *stdio) {
  char path[PATH_MAX];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(path, sizeof path, "%s/console.sock", stdio->directory);
  unlink(path);
  stdio->console.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (stdio->console.fd < 0) return -errno;
  if (strlen(path) >= sizeof address.sun_path) {
    /* By descriptor where the path is longer than an address can be. */
    stdio->console_directory = open(stdio->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (stdio->console_directory < 0) return -errno;
    stdio_console_path(stdio, path, sizeof path);
  }
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path));
  if (bind(stdio->console.fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(stdio->console.fd, 1) < 0) return -errno;
  loop_want(&stdio->console, EPOLLIN);
  return 0;
}

static void close_console(struct stdio *stdio) {
  char path[PATH_MAX];
  if (stdio->console.fd < 0) return;
  loop_want(&stdio->console, 0);
  snprintf(path, sizeof path, "%s/console.sock", stdio->directory);
  unlink(path);
  close(stdio->console.fd);
  if (stdio->console_directory >= 0) close(stdio->console_directory);
  stdio->console.fd = stdio->console_directory = -1;
}

static void write_input(struct stdio *);

static void input_ready(struct source *source, uint32_t events) {
  (void)events;
  write_input(owner_of(source, input.source));
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
    stdio->out[i].source.ready = read_piece;
    stdio->out[i].source.fd = stdio->out[i].fifo;
  }
  stdio->input.source.ready = input_ready;
  stdio->console.ready = receive_terminal;
  stdio->next = first;
  first = stdio;
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
  if (failed == 0) failed = open_stream(stdio, STDOUT, options);
  if (failed == 0 && !terminal) failed = open_stream(stdio, STDERR, options);
  if (failed == 0 && !terminal && (options->flags & STDIO_INPUT)) failed = open_input(stdio, options);
  if (failed == 0 && terminal && !(options->flags & STDIO_AGAIN)) failed = open_console(stdio);
  if (failed != 0) {
    stdio_close(stdio, NULL);
    return failed;
  }
  /* What waits already. */
  for (int i = 0; i < 2; i++)
    if (stdio->out[i].fifo >= 0) wait_for(&stdio->out[i], TURN);
  *opened = stdio;
  return 0;
}

static void take_master(struct stdio *stdio, int master) {
  struct winsize size = {.ws_col = stdio->columns, .ws_row = stdio->rows};
  fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
  if (size.ws_col > 0 && size.ws_row > 0) ioctl(master, TIOCSWINSZ, &size);
  stdio->master = stdio->input.fd = master;
  wait_for(&stdio->out[STDOUT], TURN);
}

/* One message with one descriptor (runc, docs/terminals.md), on the first connection. It has been sent when the runtime returns. */
static void receive_terminal(struct source *source, uint32_t events) {
  struct stdio *stdio = owner_of(source, console);
  char name[256];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec text = {name, sizeof name};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  (void)events;
  if (!stdio->console_connected) {
    int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) return;
    loop_want(source, 0);
    close(source->fd);
    source->fd = connection;
    stdio->console_connected = true;
    loop_want(source, EPOLLIN);
  }
  ssize_t got = recvmsg(source->fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int master = -1;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) memcpy(&master, CMSG_DATA(header), sizeof master);
  if (master >= 0 && stdio->master < 0) take_master(stdio, master);
  else if (master >= 0) close(master);
  close_console(stdio);
}

int stdio_hand_over(struct stdio *stdio) {
  if (stdio->input.both >= 0) close(stdio->input.both);
  stdio->input.both = -1;
  if (!(stdio->flags & STDIO_TERMINAL)) return 0;
  if (stdio->master < 0 && stdio->console.fd >= 0) receive_terminal(&stdio->console, 0);
  close_console(stdio);
  return stdio->master < 0 && !(stdio->flags & STDIO_AGAIN) ? -ENOTCONN : 0;
}

static void drop_input(struct input *input) {
  free(input->bytes);
  input->bytes = NULL;
  input->length = input->written = 0;
}

/* No more of it: at the end, or since nobody reads. A terminal goes on for output. */
static void end_input(struct stdio *stdio, int failed) {
  struct input *input = &stdio->input;
  drop_input(input);
  input->failed = failed;
  input->answered = true;
  if (stdio->flags & STDIO_TERMINAL) return;
  loop_want(&input->source, 0);
  if (input->fd >= 0) close(input->fd);
  if (input->both >= 0) close(input->both);
  input->fd = input->both = -1;
}

/* As much as the kernel takes. @returns 0, or errno of a reader that is gone */
static int write_some(struct input *input, const uint8_t *bytes, size_t count, size_t *written) {
  for (*written = 0; *written < count;) {
    ssize_t got = write(input->fd, bytes + *written, count - *written);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? 0 : errno;
    *written += (size_t)got;
    input->taken += (uint64_t)got;
  }
  return 0;
}

static void await_room(struct stdio *stdio) {
  /* Nothing tells reliably of room in a terminal but trying. */
  if (stdio->flags & STDIO_TERMINAL) return retry_after(INPUT_RETRY);
  stdio->input.source.fd = stdio->input.fd;
  loop_want(&stdio->input.source, EPOLLOUT);
}

static void write_input(struct stdio *stdio) {
  struct input *input = &stdio->input;
  size_t written;
  int failed = write_some(input, input->bytes + input->written, input->length - input->written, &written);
  if (failed != 0) return end_input(stdio, failed);
  input->written += written;
  if (input->written < input->length) return await_room(stdio);
  drop_input(input);
  loop_want(&input->source, 0);
  input->answered = true;
  if (input->ends) stdio_close_input(stdio);
}

int stdio_input(struct stdio *stdio, uint32_t request, const uint8_t *bytes, size_t count, const uint8_t *cookie, size_t cookie_length) {
  struct input *input = &stdio->input;
  if (input->bytes) return -EBUSY;
  if (input->fd < 0 || input->ends) return -EPIPE;
  if (cookie_length > MOST_COOKIE) return -EMSGSIZE;
  uint8_t *rest = malloc(count ? count : 1);
  if (!rest) return -ENOMEM;
  memcpy(rest, bytes, count);
  memcpy(input->cookie, cookie, cookie_length);
  input->cookie_length = (uint16_t)cookie_length;
  input->accepted += count;
  input->bytes = rest;
  input->length = count;
  input->written = 0;
  input->request = request;
  input->answered = false;
  input->failed = 0;
  write_input(stdio);
  return 0;
}

void stdio_close_input(struct stdio *stdio) {
  static const uint8_t end_of_transmission[] = {4};
  struct input *input = &stdio->input;
  bool terminal = (stdio->flags & STDIO_TERMINAL) != 0;
  input->ends = true;
  if (input->bytes) return;
  if (!terminal && input->fd >= 0) {
    loop_want(&input->source, 0);
    close(input->fd);
    if (input->both >= 0) close(input->both);
    input->fd = input->both = -1;
  }
  if (!terminal || input->fd < 0) return;
  /* Ends the line that is being typed, and is an end of file where there is none: VEOF of termios(3). More may be typed after it. */
  input->ends = false;
  size_t written;
  if (write_some(input, end_of_transmission, 1, &written) == 0 && written == 1) input->taken--;
}

int stdio_resize(struct stdio *stdio, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  stdio->columns = columns;
  stdio->rows = rows;
  if (stdio->master < 0) return 0;
  return ioctl(stdio->master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

static void resume(struct stream *stream) {
  if (stream->fifo < 0) return;
  if (stream->state == BLOCKED || stream->state == WAITING) {
    stream->state = READING;
    wait_for(stream, TURN);
  }
  if (stream->state == DISCARDING) loop_want(&stream->source, EPOLLIN);
}

void stdio_hold(struct stdio *stdio, uint64_t until, const uint64_t wanted[2]) {
  stdio->held_until = until;
  memcpy(stdio->wanted, wanted, sizeof stdio->wanted);
  for (int i = 0; i < 2; i++)
    if (stdio->out[i].state == WAITING) resume(&stdio->out[i]);
}

void stdio_drain(struct stdio *stdio, uint32_t request) {
  stdio->drain_request = request;
  stdio->drain_answered = false;
  if (stdio->draining) return;
  stdio->draining = true;
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    uint64_t logged = stdio->log.totals[i];
    if (stream->fifo < 0) {
      stream->state = DRAINED;
      continue;
    }
    /* What comes later is of whoever was left behind, and may come for ever; a terminal is empty when it is hung up. */
    stream->left = bytes_in(stream->fifo) + (stream->spool_end > logged ? stream->spool_end - logged : 0);
    if (stdio->master >= 0) stream->left = NEVER;
    /* Hung up is what it is to be, and no reason to wait. */
    if (stream->state == BLOCKED && stdio->master >= 0 && stream->why == EIO) stream->state = READING;
    if (stream->left == 0) set_drained(stream);
    else if (stream->state == READING) wait_for(stream, TURN);
  }
}

bool stdio_is_drained(const struct stdio *stdio) {
  return stdio->draining && stdio->out[STDOUT].state == DRAINED && stdio->out[STDERR].state == DRAINED;
}

static void close_stream(struct stream *stream) {
  loop_want(&stream->source, 0);
  if (stream->fifo >= 0) close(stream->fifo);
  if (stream->spool >= 0) close(stream->spool);
  stream->fifo = stream->spool = -1;
}

void stdio_discard(struct stdio *stdio) {
  char path[64];
  drop_input(&stdio->input);
  loop_want(&stdio->input.source, 0);
  if (!(stdio->flags & STDIO_TERMINAL)) end_input(stdio, EPIPE);
  close_console(stdio);
  bool any = false;
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    /* For reading alone, so that the end of the last writer is seen. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", stream->fifo);
    int reader = stream->fifo >= 0 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    close_stream(stream);
    stream->fifo = reader;
    stream->state = DISCARDING;
    if (reader < 0) continue;
    any = true;
    stream->source.fd = stdio->master >= 0 ? stdio->master : reader;
    loop_want(&stream->source, EPOLLIN);
  }
  log_close(&stdio->log);
  if (!any) stdio_close(stdio, NULL);
}

void stdio_close(struct stdio *stdio, uint64_t lost[2]) {
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    uint64_t logged = stdio->log.totals[i];
    if (lost) lost[i] = stream->spool_end > logged ? stream->spool_end - logged : 0;
    if (lost && stream->why != 0 && stream->fifo >= 0) lost[i] += bytes_in(stream->fifo);
    close_stream(stream);
  }
  close_console(stdio);
  loop_want(&stdio->input.source, 0);
  if (stdio->input.fd >= 0 && stdio->input.fd != stdio->master) close(stdio->input.fd);
  if (stdio->input.both >= 0) close(stdio->input.both);
  if (stdio->master >= 0) close(stdio->master);
  drop_input(&stdio->input);
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
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &stdio->out[i];
    if (stream->fifo < 0 || stream->state == DRAINED) continue;
    if (stream->state == DISCARDING) {
      stream->source.fd = stdio->master >= 0 ? stdio->master : stream->fifo;
      loop_want(&stream->source, EPOLLIN);
    } else {
      stream->state = READING;
      wait_for(stream, TURN);
    }
  }
  if (stdio->input.bytes) write_input(stdio);
  return 0;
}

uint64_t streams_due(void) { return retry_at; }

void streams_run(uint64_t now) {
  if (now < retry_at) return;
  retry_at = NEVER;
  for (struct stdio *stdio = first, *next; stdio; stdio = next) {
    next = stdio->next;
    for (int i = 0; i < 2; i++) resume(&stdio->out[i]);
    if ((stdio->flags & STDIO_TERMINAL) && stdio->input.bytes) write_input(stdio);
  }
}

void streams_trim(void) {
  if (piece_is_large) madvise(piece, sizeof piece, MADV_DONTNEED);
  piece_is_large = false;
}

void streams_forget_requests(void) {
  for (struct stdio *stdio = first; stdio; stdio = stdio->next) {
    stdio->input.request = stdio->drain_request = 0;
    stdio->follow = NEVER;
  }
}
