/* How the command ends in the middle of its work. Whatever ends the process, but SIGKILL and
 * _exit(), removes the file in the making first. A signal then does what it always does, so that
 * the exit status tells of it; signals that are ignored, as under nohup, stay so. One file and one
 * run at a time, all from the main thread. */
#ifndef PARA_CLI_ENDING_H
#define PARA_CLI_ENDING_H

#include <stddef.h>
#include <sys/types.h>

/* Between the two, the process is at work: that it exits is then a failure, whatever its status. */
void para__ending_watch(void);
void para__ending_release(void);

/* For each thread of a pool that runs kernels: a kernel that needs more stack than there is ends the
 * process with a word on that, and removes the file in the making. Main is watched as well. */
int para__ending_worker_init(unsigned worker, void *unused);
void para__ending_worker_exit(unsigned worker, void *unused);

/* A file is mapped to be read. If it is cut short meanwhile, the process says so and fails. */
void para__ending_watch_input(const char *path, const void *data, size_t bytes);
void para__ending_forget_input(const void *data);

/* Makes the file in the making, under a name of its own in the folder of target. Returns its
 * descriptor, or -1 and errno. */
int para__ending_create(const char *target, mode_t mode);

/* Its name; "" if there is none. */
const char *para__ending_name(void);

/* Renames it to target; removes it if that fails or target is NULL. Returns 0, or -1 and errno. */
int para__ending_dispose(const char *target);

#endif
