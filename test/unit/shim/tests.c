/*
 * Unit tests of src/shim, and a log writer for the tests in TypeScript:
 *   tally-shim-tests                                  runs all, and prints what has failed
 *   tally-shim-tests types                            prints `NAME number` of each frame type
 *   tally-shim-tests append LOG MAX_BYTES MAX_FILES   appends what stdin has: u8 stream, u32 length, bytes, and so on
 *   tally-shim-tests parse                            prints type, request and length of each frame in stdin, and where it ends
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "frames.h"
#include "log.h"
#include "loop.h"
#include "places.h"
#include "process-table.h"
#include "streams.h"

static int failures;

#define expect(condition)                                                       \
  do {                                                                          \
    if (!(condition)) {                                                         \
      printf("%s:%d: expected %s\n", __FILE__, __LINE__, #condition);           \
      failures++;                                                               \
    }                                                                           \
  } while (0)

static uint8_t room[1024];

static struct buffer make_buffer(size_t capacity) { return (struct buffer){.bytes = room, .capacity = capacity}; }

static void fields_come_back(void) {
  struct buffer out = make_buffer(sizeof room);
  size_t begin = frame_begin(&out, FRAME_WATCH, 77);
  put_u8(&out, 200);
  put_u16(&out, 60000);
  put_u32(&out, 4000000000u);
  put_u64(&out, UINT64_MAX - 1);
  put_text(&out, "text");
  put_bytes(&out, "\0\1", 2);
  frame_end(&out, begin);
  struct frame frame;
  expect(frame_parse(out.bytes, out.length, FRAME_MOST, &frame) == (ssize_t)out.length);
  expect(frame.type == FRAME_WATCH && frame.request == 77);
  expect(get_u8(&frame.fields) == 200);
  expect(get_u16(&frame.fields) == 60000);
  expect(get_u32(&frame.fields) == 4000000000u);
  expect(get_u64(&frame.fields) == UINT64_MAX - 1);
  char *text = get_text(&frame.fields);
  expect(text && strcmp(text, "text") == 0);
  free(text);
  size_t count;
  const uint8_t *bytes = get_bytes(&frame.fields, &count);
  expect(count == 2 && memcmp(bytes, "\0\1", 2) == 0);
  expect(!has_more(&frame.fields) && !frame.fields.torn);
  expect(get_u32(&frame.fields) == 0 && frame.fields.torn);
}

static void a_frame_in_pieces_waits_for_the_rest(void) {
  struct buffer out = make_buffer(sizeof room);
  size_t begin = frame_begin(&out, FRAME_REAP, 1);
  put_u32(&out, 5);
  frame_end(&out, begin);
  struct frame frame;
  for (size_t i = 0; i < out.length; i++) expect(frame_parse(out.bytes, i, FRAME_MOST, &frame) == 0);
  expect(frame_parse(out.bytes, out.length, FRAME_MOST, &frame) == 16);
}

static void lengths_that_can_be_none_are_refused(void) {
  struct frame frame;
  static const uint32_t wrong[] = {0, 1, 11, FRAME_MOST + 1, UINT32_MAX};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct buffer out = make_buffer(sizeof room);
    put_u32(&out, wrong[i]);
    expect(frame_parse(out.bytes, out.length, FRAME_MOST, &frame) == -1);
  }
}

static void what_does_not_fit_is_left_out(void) {
  struct buffer out = make_buffer(20);
  size_t begin = frame_begin(&out, FRAME_EXIT, 0);
  put_u64(&out, 1);
  put_u64(&out, 2);
  frame_end(&out, begin);
  expect(out.full && out.length == 0);
  out = make_buffer(16);
  frame_begin(&out, FRAME_EXIT, 0);
  put_text(&out, "longer than what is left");
  expect(out.full);
}

static void text_has_no_zero_in_it(void) {
  struct buffer out = make_buffer(sizeof room);
  put_bytes(&out, "a\0b", 3);
  struct fields fields = {out.bytes, out.bytes + out.length, false};
  expect(get_text(&fields) == NULL && fields.torn);
  fields = (struct fields){out.bytes, out.bytes + 4, false};
  size_t count;
  get_bytes(&fields, &count);
  expect(count == 0 && fields.torn);
}

static char directory[] = "/tmp/tally-shim-tests-XXXXXX";

static const char *in_directory(const char *name) {
  static char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  expect(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void append(struct log *log, enum stream_name stream, const char *text) {
  int why;
  size_t length = strlen(text);
  expect(log_append(log, stream, (const uint8_t *)text, length, 1700000000123456789u, &why) == length && why == 0);
}

static void totals_are_counted_again(void) {
  struct log log;
  const char *path = in_directory("counted");
  expect(log_open(&log, path, 0, 0) == 0);
  append(&log, STDOUT, "one\ntwo");
  append(&log, STDERR, "\n\n");
  append(&log, STDOUT, " more\n");
  uint64_t position = log_position(&log);
  log_close(&log);
  expect(log_open(&log, path, 0, 0) == 0);
  expect(log.totals[STDOUT] == 13 && log.totals[STDERR] == 2 && log_position(&log) == position);
  expect(!log.in_line[STDOUT] && !log.in_line[STDERR]);
  log_close(&log);
}

static void a_torn_line_is_cut_off(void) {
  struct log log;
  const char *path = in_directory("torn");
  write_file(path, "2026-01-02T03:04:05.000000000+00:00 stdout F whole\nnot ours\n2026-01-02T03:04:05.000000000+00:00 stdout F to");
  expect(log_open(&log, path, 0, 0) == 0);
  expect(log.totals[STDOUT] == 6 && log.size == 60);
  struct stat found;
  expect(stat(path, &found) == 0 && found.st_size == 60);
  log_close(&log);
}

static void a_line_of_somebody_elses_is_passed_over(void) {
  struct log log;
  const char *path = in_directory("foreign");
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char piece[1000];
  memset(piece, 'x', sizeof piece);
  for (int i = 0; i < 300; i++) expect(write(fd, piece, sizeof piece) == sizeof piece);
  expect(dprintf(fd, "\n2026-01-02T03:04:05.000000000+00:00 stderr P rest\n") > 0);
  close(fd);
  expect(log_open(&log, path, 0, 0) == 0);
  expect(log.totals[STDERR] == 4 && log.in_line[STDERR]);
  log_close(&log);
}

static void a_rotation_that_was_cut_short_is_ended(void) {
  char text[512];
  struct stat eldest, present;
  write_file(in_directory("cut.1"), "x\n");
  expect(stat(in_directory("cut.1"), &eldest) == 0);
  write_file(in_directory("cut.next"), "");
  expect(stat(in_directory("cut.next"), &present) == 0);
  /* As the readers' own writer orders them, too. */
  snprintf(text, sizeof text, "[{\"position\":0,\"stdout\":0,\"stderr\":0,\"inode\":%ju},{\"inode\":%ju,\"position\":2,\"stdout\":1,\"stderr\":0}]", (uintmax_t)eldest.st_ino, (uintmax_t)present.st_ino);
  write_file(in_directory("cut.places"), text);
  struct log log;
  expect(log_open(&log, in_directory("cut"), 100, 5) == 0);
  expect(log.begin.position == 2 && log.totals[STDOUT] == 1 && log.size == 0);
  struct stat found;
  expect(stat(in_directory("cut"), &found) == 0 && found.st_ino == present.st_ino);
  expect(stat(in_directory("cut.1"), &found) == 0 && found.st_ino == eldest.st_ino);
  expect(stat(in_directory("cut.next"), &found) < 0);
  log_close(&log);
}

static void damaged_places_are_none(void) {
  struct segment *segments;
  write_file(in_directory("damaged"), "");
  write_file(in_directory("damaged.places"), "[{\"inode\":1,\"position\":2,\"stdout\":3}]");
  expect(segments_list(in_directory("damaged"), &segments) == 1);
  expect(segments[0].begin.position == 0 && segments[0].suffix[0] == 0);
  free(segments);
}

static void what_is_wanted_is_not_dropped(void) {
  struct log log;
  expect(log_open(&log, in_directory("wanted"), 200, 2) == 0);
  uint64_t from_begin[2] = {0, 0}, from_end[2] = {1000, 1000};
  expect(log_has_room(&log, 1000, from_begin));
  for (int i = 0; i < 4; i++) append(&log, STDOUT, "a line of some length, so that a file has few\n");
  expect(!log_has_room(&log, 1000, from_begin));
  expect(log_has_room(&log, 1000, from_end));
  expect(log_has_room(&log, 0, from_begin));
  log_close(&log);
}

static void a_full_disk_takes_all_of_a_piece_or_nothing(void) {
  const char *disk = strdup(in_directory("disk"));
  mkdir(disk, 0700);
  if (mount("tally-test", disk, "tmpfs", 0, "size=128k") < 0) {
    printf("expected to be root, and to be able to mount a tmpfs\n");
    failures++;
    return;
  }
  static uint8_t piece[16 * 1024];
  memset(piece, 'x', sizeof piece);
  piece[sizeof piece - 1] = '\n';
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/log", disk);
  struct log log;
  expect(log_open(&log, path, 0, 0) == 0);
  int why = 0, pieces = 0;
  while (pieces < 100 && log_append(&log, STDOUT, piece, sizeof piece, 0, &why) == sizeof piece) pieces++;
  struct stat found;
  expect(why == ENOSPC && pieces > 2 && pieces < 9);
  expect(stat(path, &found) == 0 && (uint64_t)found.st_size == log.size && log.totals[STDOUT] == (uint64_t)pieces * sizeof piece);
  expect(mount("tally-test", disk, "tmpfs", MS_REMOUNT, "size=1m") == 0);
  expect(log_append(&log, STDOUT, piece, sizeof piece, 0, &why) == sizeof piece && why == 0);
  log_close(&log);
  expect(umount(disk) == 0);
  free((char *)disk);
}

static void children_are_listed_either_way(void) {
  pid_t made[40], *by_kernel, *by_parent;
  for (int i = 0; i < 40; i++)
    if ((made[i] = fork()) == 0) _exit(i);
  ssize_t kernel_count = children_list(&by_kernel), parent_count = children_list_by_parent(&by_parent);
  expect(kernel_count == 40 && parent_count == 40);
  for (int i = 0; i < 40; i++) {
    int in_kernel = 0, in_parent = 0;
    for (ssize_t j = 0; j < kernel_count; j++) in_kernel += by_kernel[j] == made[i];
    for (ssize_t j = 0; j < parent_count; j++) in_parent += by_parent[j] == made[i];
    expect(in_kernel == 1 && in_parent == 1);
  }
  free(by_kernel);
  free(by_parent);
  for (int i = 0; i < 40; i++) waitpid(made[i], NULL, 0);
}

static bool is_there(pid_t pid) { return read_start_ticks(pid) != 0; }

static void watched_children_stay_and_others_go(void) {
  int gate[2];
  pid_t watched[2], other[3];
  struct child *child;
  expect(pipe(gate) == 0);
  for (int i = 0; i < 5; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) < 0) _exit(99);
      if (i == 1) raise(SIGKILL);
      _exit(7);
    }
    if (i < 2) watched[i] = pid;
    else other[i - 2] = pid;
  }
  close(gate[0]);
  for (int i = 0; i < 2; i++) expect(children_watch(watched[i], &child) == 0 && child->start_ticks > 0);
  expect(children_watch(1, &child) == -ECHILD);
  expect(children_reap(watched[0]) == -EBUSY);
  children_set_orphans(ORPHANS_HELD);
  close(gate[1]);
  for (int tries = 0; tries < 500 && !(children_at(0)->ended && children_at(1)->ended); tries++) {
    usleep(2000);
    children_scan(0);
  }
  expect(children_at(0)->ended && children_at(0)->status == 7 << 8);
  expect(children_at(1)->ended && children_at(1)->status == SIGKILL);
  siginfo_t info;
  for (int i = 0; i < 3; i++) expect(waitid(P_PID, (id_t)other[i], &info, WEXITED | WNOWAIT) == 0);
  children_set_orphans(ORPHANS_REAPED);
  children_scan(0);
  for (int i = 0; i < 3; i++) expect(!is_there(other[i]));
  for (int i = 0; i < 2; i++) expect(is_there(watched[i]));
  for (int i = 0; i < 2; i++) expect(children_reap(watched[i]) == 0);
  for (int i = 0; i < 2; i++) expect(!is_there(watched[i]));
  expect(children_count() == 0 && children_reap(watched[0]) == 0);
}

static void send_descriptors(const char *path, const int *fds, size_t count) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct iovec text = {"tty", 3};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof *fds)};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
  memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
  snprintf(address.sun_path, sizeof address.sun_path, "%.*s", (int)sizeof address.sun_path - 1, path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  expect(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && sendmsg(fd, &message, 0) == 3);
  close(fd);
}

/* With a terminal that is the first of these. */
static struct stdio *open_terminal(const int *fds, size_t count) {
  char console[PATH_MAX];
  const struct stdio_options options = {
      .id = 1, .flags = STDIO_TERMINAL, .name = "", .directory = directory, .log = in_directory("terminal"), .uid = UINT32_MAX};
  struct stdio *stdio = NULL;
  expect(stdio_open(&options, &stdio) == 0);
  stdio_console_path(stdio, console, sizeof console);
  send_descriptors(console, fds, count);
  expect(stdio_hand_over(stdio) == 0 && stdio->master >= 0);
  return stdio;
}

static int lowest_free(void) {
  int fd = dup(0);
  close(fd);
  return fd;
}

static void of_a_terminal_one_descriptor_is_taken(void) {
  int ends[2], before = lowest_free();
  expect(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  struct stdio *stdio = open_terminal(ends, 2);
  close(ends[0]);
  close(ends[1]);
  /* Nobody has the other end any more. */
  char byte;
  expect(read(stdio->master, &byte, 1) == 0);
  stdio_close(stdio, NULL);
  expect(lowest_free() == before);
}

static void an_end_of_file_waits_for_room_in_a_terminal(void) {
  int ends[2];
  uint8_t bytes[4096] = {0};
  expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  struct stdio *stdio = open_terminal(ends, 1);
  while (write(ends[0], bytes, sizeof bytes) > 0) continue;
  while (write(ends[0], bytes, 1) > 0) continue;
  stdio_close_input(stdio);
  expect(stdio_input(stdio, 1, bytes, 1, bytes, 0) == -EBUSY);
  streams_run(NEVER - 1);
  while (read(ends[1], bytes, sizeof bytes) > 0) continue;
  expect(bytes[0] == 0);
  streams_run(NEVER - 1);
  expect(read(ends[1], bytes, sizeof bytes) == 1 && bytes[0] == 4 && stdio->input.taken == 0);
  expect(stdio_input(stdio, 2, bytes, 1, bytes, 0) == 0 && stdio->input.taken == 1);
  stdio_close(stdio, NULL);
  close(ends[0]);
  close(ends[1]);
}

static int run_all(void) {
  if (!mkdtemp(directory) || loop_open() < 0) return 1;
  fields_come_back();
  a_frame_in_pieces_waits_for_the_rest();
  lengths_that_can_be_none_are_refused();
  what_does_not_fit_is_left_out();
  text_has_no_zero_in_it();
  totals_are_counted_again();
  a_torn_line_is_cut_off();
  a_line_of_somebody_elses_is_passed_over();
  a_rotation_that_was_cut_short_is_ended();
  damaged_places_are_none();
  what_is_wanted_is_not_dropped();
  a_full_disk_takes_all_of_a_piece_or_nothing();
  children_are_listed_either_way();
  watched_children_stay_and_others_go();
  of_a_terminal_one_descriptor_is_taken();
  an_end_of_file_waits_for_room_in_a_terminal();
  char command[PATH_MAX + 16];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  expect(system(command) == 0);
  return failures > 0;
}

static int print_types(void) {
#define FRAME(name, number) printf("%s %d\n", #name, number);
  FRAME_TYPES(FRAME)
#undef FRAME
  return 0;
}

static int append_stdin(const char *path, uint64_t max_bytes, uint32_t max_files) {
  static uint8_t bytes[1 << 20];
  struct log log;
  uint8_t header[5];
  int why = log_open(&log, path, max_bytes, max_files);
  if (why != 0) return -why;
  while (fread(header, 1, sizeof header, stdin) == sizeof header) {
    uint32_t length = (uint32_t)(header[1] | header[2] << 8 | header[3] << 16) | (uint32_t)header[4] << 24;
    if (length > sizeof bytes || fread(bytes, 1, length, stdin) != length) return 2;
    for (size_t at = 0; at < length && why == 0;) at += log_append(&log, header[0] ? STDERR : STDOUT, bytes + at, length - at, 1700000000123456789u, &why);
    if (why != 0) return why;
  }
  printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", log_position(&log), log.totals[STDOUT], log.totals[STDERR]);
  log_close(&log);
  return 0;
}

static int parse_stdin(void) {
  static uint8_t bytes[1 << 20];
  size_t count = fread(bytes, 1, sizeof bytes, stdin), at = 0;
  struct frame frame;
  ssize_t length;
  while ((length = frame_parse(bytes + at, count - at, FRAME_MOST, &frame)) > 0) {
    printf("%u %u %zd\n", frame.type, frame.request, length);
    at += (size_t)length;
  }
  printf("%zd %zu\n", length, count - at);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 1) return run_all();
  if (strcmp(argv[1], "types") == 0) return print_types();
  if (strcmp(argv[1], "parse") == 0) return parse_stdin();
  if (argc == 5 && strcmp(argv[1], "append") == 0) return append_stdin(argv[2], strtoull(argv[3], NULL, 10), (uint32_t)atoi(argv[4]));
  return 2;
}
