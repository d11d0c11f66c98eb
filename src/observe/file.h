/* Files that appear under their name when they are complete. */
#ifndef PARA_OBSERVE_FILE_H
#define PARA_OBSERVE_FILE_H

#include "base/status.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* The path from the root on, so that it stays the same file whatever folder the program goes to,
 * with its first %p replaced by the number of the process; false: it is too long. */
bool para__file_name(char *to, size_t bytes, const char *path);

/* In between, a file that would grow past the process's limit is an error of this thread's write,
 * and no signal. errno stays. */
sigset_t para__file_signal_off(void);
void para__file_signal_restore(const sigset_t *before);

/* Writes what fill does into a new file beside path, and renames that to path. A symbolic link is
 * followed to the file that it names, which need not exist. On failure nothing is left of it.
 * PARA_ERR_FILE, PARA_ERR_MEMORY, and what fill returns. */
para_status para__file_replace(const char *path, para_status (*fill)(void *of, FILE *stream),
                               void *of);

#endif
