/*
 * The log of one process: CRI lines, `<time> <stream> <F|P> <text>`, in files that are rotated. `F` ends with a newline of the
 * process's own, `P` does not, so that the very bytes come back. The readers are in TypeScript (src/stdio/log-file.ts).
 */
#ifndef TALLY_LOG_H
#define TALLY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_name { STDOUT, STDERR };

/* Bytes of log, and of each stream, that came before. */
struct place {
  uint64_t position;
  uint64_t bytes[2];
};

struct log {
  char *path;
  int fd;
  /* A line that would make a file larger begins another; the last `max_files` are kept. 0: never. */
  uint64_t max_bytes;
  uint32_t max_files;
  /* Where the present file begins, and how large it is. */
  struct place begin;
  uint64_t size;
  /* Bytes of each stream since create, and whether its last line was a part, whose rest is to come. */
  uint64_t totals[2];
  bool in_line[2];
  /* Offsets from which on somebody still wants the output: it is not dropped for room. NULL: nobody does. */
  const uint64_t *wanted;
};

#define LONGEST_PART (16u * 1024)
/* A byte of output takes no more of the log than an empty line does. */
#define MOST_PER_BYTE 48

/* Opens or makes it, counts what is in it, cuts off a line that a crash has left torn. @returns 0 or -errno */
int log_open(struct log *, const char *path, uint64_t max_bytes, uint32_t max_files);
void log_close(struct log *);
uint64_t log_position(const struct log *);
/*
 * Appends whole lines of it, all with that time (realtime, ns).
 * @param why 0, or the errno for which the disk would not take the rest
 * @returns how many of the bytes are in the log now; fewer than `count` also when this takes too long for one turn
 */
size_t log_append(struct log *, enum stream_name, const uint8_t *bytes, size_t count, uint64_t at, int *why);
/* Whether so many bytes can be appended without dropping what somebody still wants. */
bool log_has_room(const struct log *, uint64_t bytes, const uint64_t wanted[2]);
/* Drops the eldest file of a rotated log, for a disk that is full. @returns false when that cannot be, or there is one file only */
bool log_make_room(const struct log *);
/* Gives memory back that only a flood needs. */
void log_trim(void);

#endif
