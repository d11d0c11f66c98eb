/* When numbers are worth an alarm. Pure functions: what was counted in a window, against what was
 * usual before.
 *
 *            is high in so many windows in a row
 *     CALM ----------------------------------------> RAISED
 *       ^                                              |
 *       +--- is as usual in so many windows in a row --+
 *
 * A window lasts until enough was counted in it. */
#ifndef PARA_PLAN_ALARM_H
#define PARA_PLAN_ALARM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum para__change {
    PARA__CHANGE_NONE,
    PARA__CHANGE_RAISED,
    PARA__CHANGE_OVER
} para__change;

typedef struct para__alarm {
    bool is_raised;
    unsigned in_a_row; /* windows that speak for the other state */
} para__alarm;

/* How long tasks wait. What is usual is learnt from windows that are not high; zero at first. */
typedef struct para__waits_alarm {
    para__alarm alarm;
    unsigned windows; /* that it was learnt from, up to PARA__ALARM_WINDOWS */
    double usual_ns;
} para__waits_alarm;

/* Whether so many waits suffice for a window. */
bool para__alarm_is_window(uint64_t waits);

/* The 99th percentile of a window. */
para__change para__alarm_waits(para__waits_alarm *a, double p99_ns);

/* Whether so many calls suffice; and how long those of a window were predicted to take and took. */
bool para__alarm_is_sample(uint64_t calls);
para__change para__alarm_predicted(para__alarm *a, double predicted_ns, double measured_ns);

#endif
