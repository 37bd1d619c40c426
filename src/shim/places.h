/*
 * A log in several files: `log` is written, `log.1` was before it, and so on. Where each begins is in `log.places`, by inode, so that
 * the order is known in the middle of a rotation, too (docs/adr/0013, src/stdio/log-segments.ts).
 */
#ifndef TALLY_PLACES_H
#define TALLY_PLACES_H

#include "log.h"

struct segment {
  struct place begin;
  /* What its name has behind that of the log: "", ".1", ".next". */
  char suffix[16];
};

/* The files that there are, the eldest first. @returns how many, of which none is allocated when 0; -errno */
int segments_list(const char *path, struct segment **);
/* Ends a rotation that a crash has cut short. Idempotent. */
int segments_settle(const char *path, uint32_t max_files);
/* Begins a new file. @returns its descriptor, or -errno: then the log goes on in the file that it has */
int segments_rotate(const char *path, uint32_t max_files, const struct place *begin);

#endif
