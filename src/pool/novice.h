/* The novice: the default pool before it has workers.
 *
 * The first calls of a process are made on it. It remembers sites, and runs every call alone on its
 * caller. To it helpers are asleep whose wake-up is dear, for that makes the pool: a call that is
 * worth so much, or calls that have forgone so much together, have it made (default_pool.c). So a
 * process of small calls reads nothing of the machine and creates no thread. Calls that run on the
 * novice when the pool is there end on it. */
#ifndef PARA_POOL_NOVICE_H
#define PARA_POOL_NOVICE_H

#include "pool/types.h"

/* The novice; NULL if the pool is to be made at once: a variable asks for what only a pool does, or
 * describes the machine; nothing tells how many CPUs there are; or the process is the child of one
 * that had it, by another way than fork(). at_any_rate: never NULL, because the pool cannot be
 * made. Under the default pool's mutex. executor: by its wake the pool is made. */
para_pool *para__novice(const para__executor *executor, bool at_any_rate);

/* At most how many workers its pool will have, once that has to be known: the machine is read. */
unsigned para__novice_bound(void);

/* Gives the pool what the novice has learnt. */
void para__novice_teach(para_pool *pool);

/* In a child of fork(): the novice is there anew, with what it knows. */
void para__novice_renew(void);

#endif
