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
    unsigned idle;  /* bits: workers whose threads the system never runs */
    unsigned split; /* the first worker of a second group; 0: there is one group */
    bool started;   /* threads run; else fixture_start() starts them, and they bind themselves */
} fixture;

/* Before the threads of a model start. */
void fixture_make(const fixture *f);

/* Runs unit of that call, in the name of a worker. */
typedef void fixture_kernel(void *arg, unsigned unit, unsigned worker);

/* Of units that have run. */
typedef void fixture_fold(void *arg, unsigned first, unsigned units);

typedef struct fixture_call {
    unsigned units, width, tickets, first;
    bool announces;
    fixture_kernel *kernel;
    fixture_fold *fold;
    void *arg;
    unsigned invited; /* of the width; 0: all */
} fixture_call;

void fixture_start(void);
bool fixture_await(void); /* that the pool is ready */
void fixture_stop(void);
bool fixture_lease(void); /* false: there is no lane */
enum { FIXTURE_FAILED = 1000 };
/* On the lane; how many units were run, or FIXTURE_FAILED. */
unsigned fixture_run(const fixture_call *call);
/* The same; a kernel may leave it by a jump, on its caller's thread. Whether it has. */
bool fixture_run_and_leave(const fixture_call *call);
void fixture_leave(void);
void fixture_release(void);
void fixture_sit(unsigned worker); /* the calling thread works in that one's place; else in 0's */

/* The pool as one whose threads the model lends, as many in a call as it has workers. The calls of
 * its table come to model_lend. */
typedef void fixture_help(void *call);
void fixture_make_lent(const fixture *f, bool is_measured); /* else the first call measures */
unsigned fixture_run_lent(const fixture_call *call);        /* as fixture_run */
void fixture_measure_lent(void);
bool fixture_is_ready(void);

/* The default pool and the process's machine, which are made at first use, unless that is not to
 * work: before threads start, to have their words known. */
bool fixture_default_pool(void);
bool fixture_machine(void);
void fixture_allow(bool works);

/* The process is a child from here on, before threads start; the parent had run what follows a fork
 * never, had done so, or was at it. Returns the parent's number. */
typedef enum fixture_handled { FIXTURE_NEVER, FIXTURE_DONE, FIXTURE_BUSY } fixture_handled;
unsigned fixture_fork(fixture_handled state);
unsigned fixture_fork_count(void);
void fixture_after_fork(void (*handle)(void));

/* The calling thread starts one of the library's, or is one that ends. */
void fixture_thread_begins(void);
void fixture_thread_ends(void);

/* What the models supply: a worker of that index binds itself; costs are measured, or taken; a
 * worker leaves; pool or machine are being made; a call is lent threads. */
void model_bound(unsigned worker);
void model_measured(void);
void model_took_costs(void);
void model_left(void);
void model_made(void);
void model_lend(fixture_help *help, void *call);

#ifdef __cplusplus
}
#endif

#endif
