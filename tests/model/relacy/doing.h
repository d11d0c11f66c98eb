/* What a thread is at, and the answer of one that is asked for its stack, for models. */
#ifndef MODEL_DOING_H
#define MODEL_DOING_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One thread begins things, each within or after the last one, and ends them. */
void doing_make(void);
void doing_push(bool within);

/* Another looks at a level; whether what it has read is whole. */
bool doing_look(unsigned level);

/* One thread is asked, and answers; another waits for the answer. */
void frames_make(void);
bool frames_answer(void); /* false: it was not asked */
bool frames_write(void);  /* false: another thread writes */
void frames_ask(void);
bool frames_read(void); /* false: there is no answer yet */

/* One thread sleeps, another leaves it a word. */
void word_make(void);
bool word_leave(void); /* false: it does not sleep */
bool word_await(void); /* whether it was left a word */

#ifdef __cplusplus
}
#endif

#endif
