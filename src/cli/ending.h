/* How the command ends in the middle of its work. Whatever ends the process, but SIGKILL and
 * _exit(), removes the file in the making first. A signal then does what it always does, so that
 * the exit status tells of it; signals that are ignored, as under nohup, stay so. One file and one
 * run at a time, all from the main thread. */
#ifndef PARA_CLI_ENDING_H
#define PARA_CLI_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Between the two, the process is at work: that it exits is then a failure, whatever its status. */
void para__ending_watch(void);
void para__ending_release(void);

/* A file is mapped, to be read or to be written. If the system cannot give one of its pages, since
 * the file was cut short, the disk is full or does not read, the process says so and fails. */
void para__ending_watch_input(const char *path, const void *data, size_t bytes, int descriptor);
void para__ending_watch_output(const char *path, const void *data, size_t bytes, int descriptor);

/* Memory that no kernel may write to: whoever does so ends the process with that sentence. */
void para__ending_watch_constant(const void *data, size_t bytes, const char *sentence);

/* Ends the watch over what begins there. */
void para__ending_forget(const void *data);

/* Makes the file in the making, under a name of its own in that folder, which stays open meanwhile.
 * Returns its descriptor, or -1 and errno. It is never opened a second time, since another file may
 * have its name by then. */
int para__ending_create(int folder, mode_t mode);

/* Whether its name is still that of the file with this descriptor. */
bool para__ending_owns(int descriptor);

/* Renames it to target, in the same folder; removes it if that fails or target is NULL. Does nothing
 * if there is none. Returns 0, or -1 and errno. */
int para__ending_dispose(const char *target);

#endif
