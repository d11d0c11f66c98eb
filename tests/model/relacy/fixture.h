/* A pool for models, as pool.c makes one, and calls on it. */
#ifndef MODEL_FIXTURE_H
#define MODEL_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fixture {
    unsigned workers;
    unsigned lanes; /* the others are leased, to nobody */
    unsigned spin_ticks;
    unsigned idle; /* bits: workers whose threads the system never runs */
    bool started;  /* threads run; else fixture_start() starts them, and they bind themselves */
} fixture;

/* Before the threads of a model start. */
void fixture_make(const fixture *f);

/* Runs unit of that call, in the name of a worker. */
typedef void fixture_kernel(void *arg, unsigned unit, unsigned worker);

typedef struct fixture_call {
    unsigned units, width, tickets, first;
    bool announce_twice;
    fixture_kernel *kernel;
    void *arg;
} fixture_call;

void fixture_start(void);
void fixture_stop(void);
bool fixture_lease(void);                       /* false: there is no lane */
unsigned fixture_run(const fixture_call *call); /* on the lane; how many units were run */
void fixture_release(void);
void fixture_sit(unsigned worker); /* the calling thread works in that one's place; else in 0's */

/* The default pool and the process's machine, which are made at first use, unless that is not to
 * work: before threads start, to have their words known. */
bool fixture_default_pool(void);
bool fixture_machine(void);
void fixture_allow(bool works);

/* What the models supply: a worker of that index binds itself; one leaves; pool or machine are being
 * made. */
void model_bound(unsigned worker);
void model_left(void);
void model_made(void);

#ifdef __cplusplus
}
#endif

#endif
