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

/* For each thread of a pool that runs kernels: a kernel that needs more stack than there is ends
 * the process with a word on that, and removes the file in the making. Main is watched as well. */
int para__ending_worker_init(unsigned worker, void *unused);
void para__ending_worker_exit(unsigned worker, void *unused);

/* Watches a mapped file, which is read or written. If the system cannot give one of its pages (the
 * file was cut short, the disk is full, an I/O error) the process says so and fails. */
void para__ending_watch_input(const char *path, const void *data, size_t bytes, int descriptor);
void para__ending_watch_output(const char *path, const void *data, size_t bytes, int descriptor);

/* Watches read-only memory: a store to it ends the process with that sentence. */
void para__ending_watch_constant(const void *data, size_t bytes, const char *sentence);

/* Ends the watch over what begins there. */
void para__ending_forget(const void *data);

/* Creates the file in the making under a unique name in a folder, which the caller keeps open.
 * Returns its descriptor, or -1 and sets errno. The file is never opened a second time by name: by
 * then another file may have that name. */
int para__ending_create(int folder, mode_t mode);

/* Whether its name is still that of the file with this descriptor. */
bool para__ending_owns(int descriptor);

/* Renames it to target, in the same folder; removes it if that fails or target is NULL. Does
 * nothing if there is none. Returns 0, or -1 and sets errno. */
int para__ending_dispose(const char *target);

#endif
