#define _GNU_SOURCE
#include "title.h"

#include <stdlib.h>
#include <string.h>

static char *room;
static size_t room_length;

void title_begin(char **argv) {
  room = argv[0];
  /* Each argument follows the one before, as the kernel has put them there. */
  for (char **at = argv; *at && *at == room + room_length; at++) room_length += strlen(*at) + 1;
}

void title_set(const char *text) {
  if (room_length == 0) return;
  /* A 0 at the very end: without it, the kernel would take the environment for a part of the title. */
  size_t length = strnlen(text, room_length - 1);
  memcpy(room, text, length);
  memset(room + length, 0, room_length - length);
}

char **title_hand_over(const char *option, const char *value) {
  size_t fixed = strlen(option) + 1 + strlen(value) + 1, length = room_length;
  while (length > 0 && !room[length - 1]) length--;
  size_t padding = room_length > length + 1 + fixed ? room_length - length - 1 - fixed : 0;
  char **argv = malloc(5 * sizeof *argv + length + 1 + fixed + padding);
  if (!argv) return NULL;
  char *at = (char *)(argv + 5);
  argv[0] = at;
  for (size_t i = 0; i < length; i++) *at++ = room[i] ? room[i] : ' ';
  *at++ = 0;
  argv[1] = strcpy(at, option);
  argv[2] = strcpy(at + strlen(option) + 1, value);
  argv[3] = argv[4] = NULL;
  if (padding == 0) return argv;
  argv[3] = at + fixed;
  memset(argv[3], '-', padding - 1);
  argv[3][padding - 1] = 0;
  return argv;
}
