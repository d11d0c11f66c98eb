/* The constants of what looks at a program: its log, alarms, traces and watchdogs. Entries are as
 * in tuning.h. */
#ifndef PARA_BASE_TUNING_OBSERVE_H
#define PARA_BASE_TUNING_OBSERVE_H

#include "base/constant.h"

/* ---- The log: base/log.c --------------------------------------------------------------------- */

/* Entries with one id that are told in a second, where the program does not say. Reasoned: as many
 * as a person reads. */
PARA__COUNT(PARA__LOG_MOST, 10) /* - */

/* ---- Alarms: plan/alarm.c -------------------------------------------------------------------- */

/* How often what was counted is looked at. ns. Reasoned: people act within minutes. */
PARA__REAL(PARA__ALARM_LOOK_NS, 1e9) /* - */

/* A window has so many waits of tasks, or calls of a kernel, at least. Reasoned: with fewer than
 * 100 the 99th percentile is the longest; a mean of 10 is steady. */
PARA__COUNT(PARA__ALARM_WAITS, 100) /* - */
PARA__COUNT(PARA__ALARM_CALLS, 10)  /* - */

/* Windows from which the usual wait is learnt, before there is an alarm; it then follows with as
 * many. Reasoned: half a minute of a busy program, long against a burst. */
PARA__COUNT(PARA__ALARM_WINDOWS, 32) /* - */

/* What is this many times the usual is high. Reasoned: less comes and goes with the load. */
PARA__REAL(PARA__ALARM_FACTOR, 2) /* - */

/* Shorter waits are no reason for an alarm. ns. Reasoned: the system's scheduler alone makes a
 * thread wait that long. */
PARA__REAL(PARA__ALARM_WAIT_NS, 1e6) /* - */

/* Windows in a row before an alarm is raised, or over: of waits, and of predictions, which calls
 * that change their length put off for a while. Reasoned: one or two are a burst. */
PARA__COUNT(PARA__ALARM_IN_A_ROW, 3) /* - */
PARA__COUNT(PARA__ALARM_LONG, 10)    /* - */

/* ---- What is written: observe ---------------------------------------------------------------- */

/* The writer looks at the threads' events so often. ns. Reasoned: a thread that tells of an event
 * each 10 us has put 1000 by then, a quarter of what its ring holds. */
PARA__COUNT(PARA__TRACE_LOOK_NS, 10000000) /* - */

/* PARA_METRICS is written so often. ns. Reasoned: Prometheus asks each 15 s or more rarely. */
PARA__REAL(PARA__METRICS_NS, 5e9) /* - */

/* The page that `para top` reads is written so often; and read so often, with a pause, before it
 * counts as damaged. ns. Reasoned: a person sees no more; writing takes 20 us. */
PARA__REAL(PARA__PAGE_NS, 2.5e8)          /* - */
PARA__COUNT(PARA__PAGE_READS, 10)         /* - */
PARA__COUNT(PARA__PAGE_PAUSE_NS, 1000000) /* - */

/* ---- Watchdogs: observe/watchdog.c, base/backtrace.c ----------------------------------------- */

/* How often a watchdog looks, at least. ms. Reasoned: a tenth of a second is soon for people. */
PARA__COUNT(PARA__WATCHDOG_MS, 100) /* - */

/* How long a thread may take to answer for its backtrace. ms. Reasoned: it answers in some
 * microseconds, once it has a CPU. */
PARA__COUNT(PARA__BACKTRACE_MS, 200) /* - */

#endif
