/* Who is told of calls. */
#ifndef PARA_SCHEDULE_OBSERVER_H
#define PARA_SCHEDULE_OBSERVER_H

#include "schedule/state.h"

/* Told of each call that has run, also of one that failed, on its thread, in the caller's
 * floating-point environment. */
typedef void para__observer(const para__schedule *s, const para__outcome *outcome);

/* NULL: nobody, which costs a call one load. Defined in observe/report.c, which sets it before
 * main() begins and never after. */
extern para__observer *para__observe;

#endif
