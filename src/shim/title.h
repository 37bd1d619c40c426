/*
 * What ps(1) shows for this process: the memory of its arguments, overwritten in place. A shim that was started in advance gets the name
 * of its container so. There is no more room than the arguments had.
 */
#ifndef TALLY_TITLE_H
#define TALLY_TITLE_H

/* @param argv as main was given it: nobody else may use it after `title_set` */
void title_begin(char **argv);
void title_set(const char *text);
/*
 * Arguments by which execve gives the next image the same title, and the same room. Allocated, all in one piece.
 * @returns NULL when there is no memory
 */
char **title_hand_over(const char *option, const char *value);

#endif
