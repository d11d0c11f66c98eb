/* A ring of events for models: one that is so short that its events are overwritten soon. */
#ifndef MODEL_RING_H
#define MODEL_RING_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before the threads of a model start. */
void ring_make(void);

/* Puts the next event, which has its number in each word. */
void ring_put(void);

/* Takes one; false: there is none. Whether it is whole; and how many were taken and lost so far. */
bool ring_take(bool *is_whole);
uint64_t ring_seen(void);

#ifdef __cplusplus
}
#endif

#endif
