#define _GNU_SOURCE
#include "frames.h"

#include <stdlib.h>
#include <string.h>

static void put_number(struct buffer *buffer, uint64_t value, size_t size) {
  if (buffer->full || buffer->capacity - buffer->length < size) {
    buffer->full = true;
    return;
  }
  for (size_t i = 0; i < size; i++) buffer->bytes[buffer->length++] = (uint8_t)(value >> (8 * i));
}

void put_u8(struct buffer *buffer, uint8_t value) { put_number(buffer, value, 1); }
void put_u16(struct buffer *buffer, uint16_t value) { put_number(buffer, value, 2); }
void put_u32(struct buffer *buffer, uint32_t value) { put_number(buffer, value, 4); }
void put_u64(struct buffer *buffer, uint64_t value) { put_number(buffer, value, 8); }

void put_bytes(struct buffer *buffer, const void *bytes, size_t count) {
  if (count > UINT16_MAX) count = UINT16_MAX;
  put_u16(buffer, (uint16_t)count);
  if (buffer->full || buffer->capacity - buffer->length < count) {
    buffer->full = true;
    return;
  }
  if (count > 0) memcpy(buffer->bytes + buffer->length, bytes, count);
  buffer->length += count;
}

void put_text(struct buffer *buffer, const char *text) { put_bytes(buffer, text, text ? strlen(text) : 0); }

size_t frame_begin(struct buffer *buffer, enum frame_type type, uint32_t request) {
  size_t begin = buffer->length;
  put_u32(buffer, 0);
  put_u16(buffer, (uint16_t)type);
  put_u16(buffer, 0);
  put_u32(buffer, request);
  return begin;
}

void frame_end(struct buffer *buffer, size_t begin) {
  if (buffer->full) {
    /* Half a frame would be worse than none: whoever puts more than fits asks for `full`. */
    buffer->length = begin;
    return;
  }
  uint32_t length = (uint32_t)(buffer->length - begin);
  for (size_t i = 0; i < 4; i++) buffer->bytes[begin + i] = (uint8_t)(length >> (8 * i));
}

void buffer_drop(struct buffer *buffer, size_t count) {
  if (count == 0) return;
  buffer->length -= count;
  memmove(buffer->bytes, buffer->bytes + count, buffer->length);
}

static uint64_t get_number(struct fields *fields, size_t size) {
  if ((size_t)(fields->end - fields->at) < size) {
    fields->torn = true;
    fields->at = fields->end;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint64_t)*fields->at++ << (8 * i);
  return value;
}

uint8_t get_u8(struct fields *fields) { return (uint8_t)get_number(fields, 1); }
uint16_t get_u16(struct fields *fields) { return (uint16_t)get_number(fields, 2); }
uint32_t get_u32(struct fields *fields) { return (uint32_t)get_number(fields, 4); }
uint64_t get_u64(struct fields *fields) { return get_number(fields, 8); }

const uint8_t *get_bytes(struct fields *fields, size_t *count) {
  *count = get_u16(fields);
  if ((size_t)(fields->end - fields->at) < *count) {
    fields->torn = true;
    fields->at = fields->end;
    *count = 0;
  }
  const uint8_t *bytes = fields->at;
  fields->at += *count;
  return bytes;
}

char *get_text(struct fields *fields) {
  size_t count;
  const uint8_t *bytes = get_bytes(fields, &count);
  if (fields->torn || memchr(bytes, 0, count)) {
    fields->torn = true;
    return NULL;
  }
  char *text = malloc(count + 1);
  if (!text) {
    fields->torn = true;
    return NULL;
  }
  memcpy(text, bytes, count);
  text[count] = 0;
  return text;
}

bool has_more(const struct fields *fields) { return fields->at < fields->end; }

ssize_t frame_parse(const uint8_t *bytes, size_t count, size_t most, struct frame *frame) {
  if (count < 4) return 0;
  struct fields fields = {bytes, bytes + count, false};
  uint32_t length = get_u32(&fields);
  if (length < FRAME_HEADER || length > most) return -1;
  if (count < length) return 0;
  fields.end = bytes + length;
  frame->type = get_u16(&fields);
  get_u16(&fields);
  frame->request = get_u32(&fields);
  frame->fields = fields;
  return (ssize_t)length;
}
