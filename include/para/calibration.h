/* What a pool has measured and decides by: the machine's costs, and what it knows of kernels. */
#ifndef PARA_CALIBRATION_H
#define PARA_CALIBRATION_H

#include <para/pool.h>
#include <para/status.h>
#include <stdbool.h>
#include <stdio.h>

/* What sharing a call costs on this machine. Measured when the pool was made, as far as the flags
 * at the end say so; round_trip_ns, wake_ns and share_ns are updated since. */
typedef struct para_calibration_info {
    size_t size; /* set to sizeof(para_calibration_info) by the caller */
    /* From publishing an empty call until its caller knows that an awake helper has run it. */
    double round_trip_ns;
    double per_helper_ns; /* additional delay of each further helper */
    double wake_ns;       /* additional delay of a helper that sleeps */
    double wake_cost_ns;  /* what waking a helper costs its waker */
    double share_ns;      /* what publishing and joining cost the caller */
    double clock_ns;      /* reading the clock */
    double spin_ns;       /* how long an idle worker spins before it sleeps */
    double least_ns;      /* less work is shared only if the call's options ask for it */
    unsigned sites;       /* remembered sites: kernels by order of magnitude of the element count */
    unsigned near_helpers; /* those of the caller's domain (NUMA node or shared L3); 0: all alike */
    double far_ns;         /* additional delay of a helper beyond them */
    /* Whether these were measured when the pool was made: round_trip_ns; per_helper_ns and far_ns;
     * wake_ns and wake_cost_ns. false: they are assumed. That is so if the pool has more workers
     * than there are CPUs, or other programs kept the CPUs busy. What lent threads take to wake up,
     * or to come one after the other, is never measured. */
    bool round_trip_measured;
    bool per_helper_measured;
    bool wake_measured;
} para_calibration_info;

#ifdef __cplusplus
extern "C" {
#endif

/* All functions here: pool NULL is the default pool. Any thread, also while calls run; these decide
 * by the old or the new knowledge. Errors beside their own: for NULL PARA_ERR_MEMORY and
 * _TOPOLOGY. */

/* Fills *info; the caller has set its size. Errors: PARA_ERR_ARGUMENT. */
PARA_NODISCARD_ PARA_API para_status para_calibration_get(para_pool *pool,
                                                          para_calibration_info *info);

/* Forgets all kernels. The next call of each is measured as if it were the first. */
PARA_NODISCARD_ PARA_API para_status para_calibration_reset(para_pool *pool);

/* Writes all that is known as text, two lines for each site:
 *
 *     site LOG2_COUNT ALONE_NS SAMPLES SHARED_NS SAMPLES CALL_NS DEVIATION SPREAD HALVINGS
 *          LOOP OFFSET MODULE
 *     more MEAN_NS PRICED CREDIT_NS REFUSED WIDTH_NS WIDER AGAIN TURN
 *
 * ALONE_NS and SHARED_NS are the cost of an element in calls that run alone and in shared ones.
 * CALL_NS is the price of a kernel call, however short it is. DEVIATION is how much calls differ
 * (32: 100 %). SPREAD is how much the cost differs within a call (16: not at all). A memory-bound
 * site runs on the pool's usual workers, halved HALVINGS times; -1: on all. LOOP (hexadecimal) is
 * the call's .options.site. OFFSET (hexadecimal) is the kernel's place in the program or library
 * MODULE. MEAN_NS is the cost of an element in the mean of all calls. PRICED: 1 if CALL_NS is
 * known, also if it is 0. CREDIT_NS is the time that may be spent on trials, and REFUSED the trials
 * in a row that were lost. WIDTH_NS is the time of an element on the present number of workers.
 * WIDER: 1 if the next trial of another number takes more workers. AGAIN: 1 if the last call was
 * the first of a trial's two. TURN: 1 if the next trial is of another number of workers, not of the
 * call alone.
 * Lines that begin with # are for people and have the machine's costs.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_FILE (the stream's error). */
PARA_NODISCARD_ PARA_API para_status para_calibration_print(para_pool *pool, FILE *stream);

/* Writes the same into a file, which appears under its name when it is complete. Any number of
 * threads and processes may save to one name at once: each file that appears there is whole. A
 * symbolic link is followed to the file that it names, which need not exist yet.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_FILE, PARA_ERR_MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_calibration_save(para_pool *pool, const char *path);

/* Learns from a file; one of version 2 has no lines `more`. Kernels of modules that are loaded are
 * known from now on; others are skipped. The machine's costs are not loaded: those measured on this
 * machine stay. A kernel that was rebuilt may be at another place; what is learnt of it is then
 * wrong, which costs little.
 * Errors: PARA_ERR_ARGUMENT; PARA_ERR_FILE: not readable, or a malformed line, whose number is in
 * the detail. Then nothing is learnt. */
PARA_NODISCARD_ PARA_API para_status para_calibration_load(para_pool *pool, const char *path);

#ifdef __cplusplus
}
#endif
#endif
