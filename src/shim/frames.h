/*
 * The frames between the shim, its supervisor, and whoever asks over the socket (docs/shim.md). A frame is a header of 12 bytes
 * and fields, all little-endian: u32 length of the whole, u16 type, u16 zero, u32 request. A reply has the number of its request;
 * what nobody asked for has 0. Fields are only ever added at the end, so a reader passes over what it does not know.
 */
#ifndef TALLY_FRAMES_H
#define TALLY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROTOCOL_VERSION 1u
#define STATE_VERSION 1u
#define FRAME_HEADER 12u
#define FRAME_MOST (32u * 1024)

/* What a shim can do beyond version 1: a supervisor asks for nothing whose bit is not in HELLO. */
enum feature { FEATURE_TITLE = 1 };
#define FEATURES ((uint64_t)FEATURE_TITLE)

#define FRAME_TYPES(FRAME) \
  FRAME(WATCH, 1) FRAME(REAP, 2) FRAME(ORPHANS, 3) FRAME(OPEN, 4) FRAME(HAND_OVER, 5) FRAME(INPUT, 6) FRAME(CLOSE_INPUT, 7) \
  FRAME(RESIZE, 8) FRAME(FOLLOW, 9) FRAME(HOLD_OUTPUT, 10) FRAME(DRAIN, 11) FRAME(DISCARD, 12) FRAME(CLOSE, 13) FRAME(DEADLINE, 14) \
  FRAME(SLEEP, 15) FRAME(END, 16) FRAME(COMMAND, 17) FRAME(UPGRADE, 18) FRAME(LISTEN, 19) FRAME(STATUS, 20) FRAME(WAKE, 21) FRAME(TITLE, 22) \
  FRAME(OK, 64) FRAME(ERROR, 65) FRAME(HELLO, 66) FRAME(CHILD, 67) FRAME(STDIO, 68) FRAME(READY, 69) FRAME(EXIT, 70) FRAME(WOKEN, 71) \
  FRAME(DUE, 72) FRAME(GREW, 73) FRAME(STATE_SHIM, 128) FRAME(STATE_CHILD, 129) FRAME(STATE_STDIO, 130) FRAME(STATE_END, 131)

enum frame_type {
#define FRAME(name, number) FRAME_##name = number,
  FRAME_TYPES(FRAME)
#undef FRAME
};

/* Bytes in a buffer of somebody else's. What does not fit is not put there, and `full` says so. */
struct buffer {
  uint8_t *bytes;
  size_t length, capacity;
  bool full;
};

void put_u8(struct buffer *, uint8_t);
void put_u16(struct buffer *, uint16_t);
void put_u32(struct buffer *, uint32_t);
void put_u64(struct buffer *, uint64_t);
/* A u16 length, then the bytes. */
void put_bytes(struct buffer *, const void *bytes, size_t count);
void put_text(struct buffer *, const char *text);
size_t frame_begin(struct buffer *, enum frame_type, uint32_t request);
void frame_end(struct buffer *, size_t begin);
/* Takes so many bytes from the front. */
void buffer_drop(struct buffer *, size_t count);

/* What is left to be read of a frame. What is not there reads as 0 or empty, and `torn` says so. */
struct fields {
  const uint8_t *at, *end;
  bool torn;
};

struct frame {
  uint16_t type;
  uint32_t request;
  struct fields fields;
};

uint8_t get_u8(struct fields *);
uint16_t get_u16(struct fields *);
uint32_t get_u32(struct fields *);
uint64_t get_u64(struct fields *);
const uint8_t *get_bytes(struct fields *, size_t *count);
/* Allocated; NULL when torn, or when there is a 0 in it. */
char *get_text(struct fields *);
/* Whether something is left: fields that were added later are asked for so. */
bool has_more(const struct fields *);

/* @returns the length of the first frame in the bytes; 0 when it is not whole yet, -1 when it is longer than `most`, or is none */
ssize_t frame_parse(const uint8_t *bytes, size_t count, size_t most, struct frame *);

#endif
