/* Binding workers; and loosening: a worker gives up its pin while others use its CPU as well.
 *
 * Two copies of a program find the same CPUs, and each pins a worker to every one of them. So each
 * CPU has two workers, whatever the system could do better: it may not move one to a CPU whose
 * other worker sleeps. Yields (yield.h) keep callers from waiting for a worker that is preempted,
 * but the copies stay on top of each other.
 *
 *             two tries to run on have failed
 *     PINNED ---------------------------------> LOOSE
 *        ^                                        |
 *        |     calm_ns later, hardly preempted    |
 *        +----------------------------------------+
 *
 * A loose worker may run on all CPUs of its domain, near its memory, and does not spin for work: a
 * CPU on which it would spin is another's. It takes its pin back when for calm_ns it was preempted
 * once in 20 ms of its CPU time at most: other programs run now and then. If it has run for less
 * than calm_ns meanwhile, that says little, and no call may need it as long as it has to be woken;
 * then the system is asked whether there are more threads to run than CPUs. If the CPU is contended
 * with the pin back, it becomes loose again, and the next time waits twice as long, unless the pin
 * has held for more than a second of its CPU time. Only pins that para has chosen are given up.
 * Those that a program, a user or a batch script has asked for stay: whoever names CPUs knows what
 * else runs there.
 *
 * Places stay what they were: slices, pages and teams go by the worker's place, so nothing has to
 * be told to anybody, and no call waits for a change. The pool's info counts loose workers as not
 * pinned, and says how many there are.
 *
 * All of it is the worker's own, but for what it shows to those who ask. */
#ifndef PARA_POOL_BINDING_H
#define PARA_POOL_BINDING_H

#include "pool/types.h"

/* The CPUs that a worker is to be bound to, if its pool binds. */
para__cpus para__worker_cpus(const para__worker *self);

/* Binds the calling thread, that worker, as its pool says. Errors: those of para__bind_thread. */
para_status para__worker_bind(const para__worker *self);

/* Whether the worker has given up its pin. Any thread. */
bool para__worker_is_loose(const para__worker *worker);

/* The calling thread has become that worker: it has given up nothing yet. */
void para__worker_is_new(para__worker *self);

/* The calling thread, which is that worker, has found that so many yields in a row did not end
 * contention (para__yield.failed): gives up the pin if these are enough. */
void para__worker_is_contended(para__worker *self, unsigned failed_yields);

/* The calling thread, which is that worker, has been asleep, and has used so much by now: it takes
 * its pin back if contention has ended. */
void para__worker_looks_around(para__worker *self, para__usage now);

#endif
