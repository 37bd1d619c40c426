/* What /proc says of processes (proc(5)). */
#ifndef TALLY_PROCESS_TABLE_H
#define TALLY_PROCESS_TABLE_H

#include <stdint.h>
#include <sys/types.h>

/* All children, by the list that the kernel has of them, or, where it has none, by looking at every process. Allocated. */
ssize_t children_list(pid_t **);
ssize_t children_list_by_parent(pid_t **);
/* 0 when there is no such process. */
uint64_t read_start_ticks(pid_t);

#endif
