/* The terminal of a process: the runtime sends its master over a socket (runc, docs/terminals.md). */
#ifndef TALLY_CONSOLE_H
#define TALLY_CONSOLE_H

#include "streams.h"

/* Listens, until the terminal has come. */
int console_open(struct stdio *);
void console_close(struct stdio *);
/* The runtime has returned: it has sent it by now. */
void console_take(struct stdio *);
void console_ready(struct source *, uint32_t events);

#endif
