/* Who is told of calls. */
#ifndef PARA_SCHEDULE_OBSERVER_H
#define PARA_SCHEDULE_OBSERVER_H

#include "schedule/state.h"

/* Told of each call that has run, also of one that failed, on its thread, in the caller's
 * floating-point environment. */
typedef void para__observer(const para__schedule *s, const para__outcome *outcome);

/* observe/ledger.c sets it before main() begins, and never after. */
extern para__observer *para__observe;

/* What calls are watched for, as bits. 0: nothing, which costs a call one load; else none takes the
 * shortest way, and each has its time (since_ns). A value on its own: orders nothing. */
enum { PARA__WATCH_REPORT = 1, PARA__WATCH_PURITY = 2, PARA__WATCH_TRACE = 4 };
extern para__atomic_u32 para__watched;

#endif
