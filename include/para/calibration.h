/* What a pool has measured, and decides by: the machine's costs, and what it knows of kernels. */
#ifndef PARA_CALIBRATION_H
#define PARA_CALIBRATION_H

#include <para/pool.h>
#include <para/status.h>
#include <stdio.h>

/* What the machine charges for sharing a call: measured when the pool was made; round_trip_ns,
 * wake_ns and share_ns are followed since. */
typedef struct para_calibration_info {
    size_t size; /* set to sizeof(para_calibration_info) by the caller */
    /* From publishing an empty call until its caller knows that a helper, awake, has run it. */
    double round_trip_ns;
    double per_helper_ns; /* how much later each further helper comes */
    double wake_ns;       /* how much later one comes that sleeps */
    double wake_cost_ns;  /* what waking one costs its waker */
    double share_ns;      /* what publishing a call and joining it cost its caller */
    double clock_ns;      /* one look at the clock */
    double spin_ns;       /* how long a worker that has nothing to do spins before it sleeps */
    double least_ns;      /* work below this is shared only if the call's options ask for it */
    unsigned sites; /* kernels, by order of magnitude of their element count, that are remembered */
} para_calibration_info;

#ifdef __cplusplus
extern "C" {
#endif

/* All functions here: pool NULL means the default pool; any thread, also while calls run, which
 * then decide by the old or the new knowledge. Errors beside their own: those of para_pool_create.
 */

/* Fills *info, whose size the caller has set. Errors: PARA_ERR_ARGUMENT. */
PARA_API para_status para_calibration_get(para_pool *pool, para_calibration_info *info);

/* Forgets all kernels. The next call of each is measured as if it were the first. */
PARA_API para_status para_calibration_reset(para_pool *pool);

/* Writes the knowledge as text, a line a site:
 *
 *     site LOG2_COUNT ALONE_NS SAMPLES SHARED_NS SAMPLES CALL_NS DEVIATION SPREAD HALVINGS
 *          LOOP OFFSET MODULE
 *
 * ALONE_NS and SHARED_NS are an element's cost in calls that run alone and that are shared, CALL_NS
 * is the price of a kernel call, however short. DEVIATION is how much calls differ (32: 100 %),
 * SPREAD how much portions of a call do (16: not at all). A memory-bound site runs on the pool's
 * workers, halved HALVINGS times. LOOP (hexadecimal) is the call's .options.site, and OFFSET
 * (hexadecimal) is the kernel's place in the program or library MODULE. Lines that begin with # are
 * for people and have the machine's costs.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_FILE (the stream's error). */
PARA_API para_status para_calibration_print(para_pool *pool, FILE *stream);

/* The same into a file, which appears under its name when it is complete. Any number of threads and
 * processes may save to one name at once: each file that appears there is whole. A symbolic link is
 * followed to the file that it names, which need not exist yet.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_FILE, PARA_ERR_MEMORY. */
PARA_API para_status para_calibration_save(para_pool *pool, const char *path);

/* Learns from a file: kernels of modules that are loaded are known from now on, others are passed
 * over. The machine's costs are not taken over, since they were measured on this one. A kernel that
 * was rebuilt may be at another place: what is learnt of it is then wrong, which costs little.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_FILE (not readable, or a malformed line, of which the detail
 * has the number): then nothing is learnt. */
PARA_API para_status para_calibration_load(para_pool *pool, const char *path);

#ifdef __cplusplus
}
#endif
#endif
