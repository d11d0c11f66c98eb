/* A filter of system calls for worker processes: what a kernel needs that computes, and nothing
 * that reaches beyond its process. The system kills the process at any other call, by SIGSYS.
 *
 *     memory        of its own, no files: mmap with MAP_ANONYMOUS, munmap, brk, madvise ...
 *     time          reading clocks, sleeping
 *     waiting       futex, sched_yield
 *     itself        its numbers and its use of the CPU; signals to itself; to end
 *     last words    to write to standard error: what assert, abort and sanitizers say
 *
 * It is made of the numbers of the calls themselves, a list to look through. A library could make
 * it shorter to run, but is not everywhere; the system remembers what the list says of a number. */
#ifndef PARA_PROCESS_SANDBOX_H
#define PARA_PROCESS_SANDBOX_H

/* Puts the calling process under it, for good. readable: a descriptor that it may read on, or -1.
 * 0, or an error number: ENOSYS on processors whose numbers are not known here. */
int para__sandbox_enter(int readable);

#endif
