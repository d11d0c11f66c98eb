/* The constants of tasks: how many wait, who looks for them, and what is let through or tried
 * again. Entries are as in tuning.h. */
#ifndef PARA_BASE_TUNING_TASKS_H
#define PARA_BASE_TUNING_TASKS_H

#include "base/constant.h"

/* ---- Queues: task, pool/details.c, await.c, ending.c ----------------------------------------- */

/* Tasks from outside that wait in a pool's queue at most. Reasoned: 20 MiB of tasks, and a second
 * of work if each takes 15 us. */
PARA__COUNT(PARA__TASKS_QUEUED, 65536) /* - */

/* Tasks that a worker takes from there at once, at most. Compared with 64: see ADR 96 and
 * docs/performance.md, F16; urgent tasks wait for those that are taken already. */
PARA__COUNT(PARA__TASKS_AT_ONCE, 16) /* - */

/* A thread that waits for room is told once this part of the queue is free. Reasoned: then it fills
 * thousands of places while others run tasks, and pays for one sleep. */
PARA__COUNT(PARA__ROOM_PART, 8) /* - */

/* Calls that were tasks and failed: of so many what they have said is kept, until somebody waits.
 * Reasoned: a program waits soon; 4 KiB. */
PARA__COUNT(PARA__DETAILS_KEPT, 16) /* - */

/* How often a thread looks that waits for room, or for one of very many tasks. ns. Reasoned. */
PARA__COUNT(PARA__TASKS_LOOK_NS, 1000000) /* - */

/* A thread that ends a pool looks after this time whether the others are through, then after twice
 * as long, and so on up to the above. Reasoned: most functions take less. */
PARA__COUNT(PARA__ENDING_LOOK_NS, 20000) /* - */

/* ---- Breakers: plan/breaker.c ---------------------------------------------------------------- */

/* A breaker looks back so long, opens with no fewer calls than that, and stays open for so long, if
 * the program does not say. ms. Those of Netflix's Hystrix. */
PARA__COUNT(PARA__BREAKER_WINDOW_MS, 10000) /* - */
PARA__COUNT(PARA__BREAKER_CALLS, 20)        /* - */
PARA__COUNT(PARA__BREAKER_PAUSE_MS, 5000)   /* - */

/* ---- Retries: pool/retry.c ------------------------------------------------------------------- */

/* A retry makes so many attempts, and waits so long before the second, twice as long before each
 * further one, and so long at most, if the program does not say. ms. Reasoned: a fault that passes
 * does so within seconds. */
PARA__COUNT(PARA__RETRY_ATTEMPTS, 5)    /* - */
PARA__COUNT(PARA__RETRY_FIRST_MS, 10)   /* - */
PARA__COUNT(PARA__RETRY_MOST_MS, 10000) /* - */

/* A pause is shorter by chance, by up to this part. Reasoned: those who failed together do not come
 * again together. */
PARA__REAL(PARA__RETRY_CHANCE, 0.5) /* - */

#endif
