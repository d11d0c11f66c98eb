/* Tasks for models: a deque, an ingress, a task's end, and a pool that runs tasks. */
#ifndef MODEL_TASKS_H
#define MODEL_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tasks go by number. */
enum { TASKS = 12, TASKS_NONE = TASKS, TASKS_DEQUE = 2, TASKS_GUESTS = 1 };

/* Before the threads of a model start: run is called for each task, with its number, and done (or
 * NULL) too, once it is over. A detached task is never waited for. */
void tasks_make(int (*run)(unsigned task), void (*done)(unsigned task));
void tasks_detach(unsigned task);

/* The task's memory is used for something else, and is as good as new. */
void tasks_reuse(unsigned task);

/* A deque, of which it is seen who touches a slot after whom. */
void tasks_deque_make(void);
bool tasks_push(unsigned task, unsigned depth);
unsigned tasks_take(unsigned least_depth); /* a task, or TASKS_NONE */
unsigned tasks_steal(unsigned least_depth);

/* An ingress; by turns: each task has a submitter of its own. */
void tasks_ingress_make(unsigned capacity, bool by_turns);
bool tasks_put(unsigned task, uint64_t deadline_ns);
unsigned tasks_get(unsigned found[], unsigned most);
bool tasks_get_one(unsigned task);
bool tasks_nobody_waits(void);

/* A task that the calling thread has: */
void tasks_queue(unsigned task);
void tasks_carry_out(unsigned task);
/* One that it waits for. */
bool tasks_sleep(unsigned task, uint64_t deadline_ns);
bool tasks_is_over(unsigned task);
int tasks_result(unsigned task);
int tasks_fd(unsigned task); /* its descriptor */

/* A group, which tasks are put into before they are submitted; or counted, for tasks that the model
 * carries out itself. */
void tasks_group_make(void);
void tasks_group(unsigned task);
void tasks_group_enter(void);
bool tasks_group_sleep(uint64_t deadline_ns);
bool tasks_group_is_over(void);
void tasks_group_reuse(void);
bool tasks_group_wait(void);

/* After fixture_make(): the pool is ready, and has so many threads, which sleep at first. */
void tasks_pool_make(unsigned threads);
void tasks_take_all(
    void); /* a worker takes all that wait; when these are several, the model is told */
void model_taken(void);
void tasks_submit(unsigned task);
int tasks_wait(unsigned task); /* its result */

/* A pool that ends, and the word of a thread that enters it. */
void tasks_stay_make(void);
bool tasks_enter(void); /* whether it has not ended */
void tasks_show_pool(void);
void tasks_hide_pool(void);
bool tasks_enter_shown(void); /* whether a word still leads to it */
void tasks_enter_unseen(void);
bool tasks_is_over_inside(unsigned task);
bool tasks_group_is_over_inside(void);
void tasks_leave(void);
void tasks_end_pool(void);
bool tasks_somebody_is_inside(void);

/* Counts of a crew with two seats; a seat above: none. */
void tasks_crew_make(void);
void tasks_accept(unsigned seat);
void tasks_carry_out_in(unsigned task, unsigned seat);
bool tasks_none_is_left(void);

#ifdef __cplusplus
}
#endif

#endif
