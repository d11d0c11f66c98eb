/* A thread's short calls, which are looked at together: plan/arms.h has the policy. What is kept of
 * them is the thread's own, so that callers do not share a line. */
#ifndef PARA_SCHEDULE_TOGETHER_H
#define PARA_SCHEDULE_TOGETHER_H

#include "schedule/state.h"

typedef enum para__window {
    PARA__NO_WINDOW,   /* the call is none of those */
    PARA__WINDOW,      /* it is decided for itself */
    PARA__WINDOW_ALONE /* and runs alone with all of them, but for a trial of its site */
} para__window;

/* The call's place in the thread's window, or that of the call around it. */
para__window para__together_begin(para__schedule *s, double work_ns, double alone_ns);

/* A call of PARA__WINDOW is shared, as it is planned. */
void para__together_shared(const para__schedule *s);

/* Whether both ways are being compared. Nothing is learnt of short calls then, so that both are
 * measured by the same prediction. */
bool para__together_is_trial(void);

/* The ns that the call takes, if it is known to be a brief one, and runs alone with all others or
 * within a shared call: then it needs no plan. Else 0. */
uint64_t para__together_brief_ns(const para__schedule *s);

#endif
