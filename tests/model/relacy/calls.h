/* What the library's sources call in a model, instead of atomics and the system. */
#ifndef MODEL_CALLS_H
#define MODEL_CALLS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One operation in the source. Its order may be weakened before the models run. */
typedef struct model_site {
    const char *label, *operation, *file, *function;
    int line, order;
    bool is_weakened;
} model_site;

uint64_t model_load(const model_site *site, const volatile void *p, size_t bytes);
void model_store(const model_site *site, volatile void *p, size_t bytes, uint64_t value);
uint64_t model_swap(const model_site *site, volatile void *p, size_t bytes, uint64_t value);
uint64_t model_add(const model_site *site, volatile void *p, size_t bytes, uint64_t value);
uint64_t model_or(const model_site *site, volatile void *p, size_t bytes, uint64_t value);
uint64_t model_and(const model_site *site, volatile void *p, size_t bytes, uint64_t value);
bool model_cas(const model_site *site, volatile void *p, size_t bytes, uint64_t *known,
               uint64_t value);

/* Of the threads that are started from now on, those with a bit in it are never run. */
void model_skip_threads(unsigned bits);
/* The calling thread dies at that step from now on, and goes on there; 0 steps: it does not. */
void model_mortal(jmp_buf *death, unsigned steps);
void model_pause(void);
uint64_t model_ticks(void);
uint64_t model_now_ns(void); /* goes on by a step at each look */
void model_step(uint64_t ns);
/* Whether a worker is to yield, by chance: see model_rest. */
bool model_rests(void);
/* The word begins anew, with the value that is in memory. */
void model_renew(const void *p, size_t bytes);
/* Whoever touches the word from now on is at fault. */
void model_forget(const void *p);
/* Something is written that only one thread at a time may have in hands; or is read. */
void model_watch(const void *p);
void model_see(const void *p);
/* What the known word guards is written by each that takes it with a compare-and-swap, then, and
 * before it gives it away with a store. */
void model_guard(const void *p);
/* The word counts upwards. What a thread did before an ordered compare-and-swap of it is read by
 * each that loads what it has swapped in, or more, by an ordered load. So the models see orders
 * that they have no data for, since Relacy does not exchange a load with what comes after it. */
void model_chain(const void *p);
void model_join(unsigned long thread);
/* Before threads start: the process is a child from here on. */
void model_fork(void);
void model_lock(const void *mutex);
void model_unlock(const void *mutex);

/* system.cpp: values and states of threads, of which 0 is the main one. Masks of signals are
 * watched as data. */
int model_key_create(unsigned *key, void (*at_end)(void *value));
void *model_value(unsigned key);
int model_set_value(unsigned key, void *value);
int model_mask(const void *set, void *before);
int model_create(void *(*run)(void *), void *arg);
int model_cancel_state(int state, int *before);
int model_thread_id(void);

#ifdef __cplusplus
}
#endif

#endif
