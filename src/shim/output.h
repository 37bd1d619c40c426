/*
 * Output of a process: from its FIFO, or its terminal, through the spool into the log. While the disk does not take it, nothing leaves the
 * FIFO: it fills, and the process waits.
 */
#ifndef TALLY_OUTPUT_H
#define TALLY_OUTPUT_H

#include "streams.h"

int output_open(struct stdio *, enum stream_name, const struct stdio_options *);
/* Something may be there, or go on. */
void output_start(struct stream *);
/* What waits for the disk, for a reader or for its turn is tried again. */
void output_resume(struct stream *);
/* Bytes that are there and not in the log: of what waits in the FIFO, only if the log did not take it. */
uint64_t output_waiting(const struct stream *);
void output_close(struct stream *);
/* After execve. */
void output_restore(struct stream *);
void output_ready(struct source *, uint32_t events);
/* Gives memory back that only a flood needs. */
void output_trim(void);

#endif
