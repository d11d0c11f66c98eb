#include "plan/alarm.h"

#include "base/tuning_observe.h"

static para__change tell_window(para__alarm *a, bool is_high, unsigned in_a_row)
{
    if (is_high == a->is_raised) {
        a->in_a_row = 0;
        return PARA__CHANGE_NONE;
    }
    if (++a->in_a_row < in_a_row)
        return PARA__CHANGE_NONE;
    *a = (para__alarm){.is_raised = is_high};
    return is_high ? PARA__CHANGE_RAISED : PARA__CHANGE_OVER;
}

bool para__alarm_is_window(uint64_t waits)
{
    return waits >= PARA__ALARM_WAITS;
}

bool para__alarm_is_sample(uint64_t calls)
{
    return calls >= PARA__ALARM_CALLS;
}

para__change para__alarm_waits(para__waits_alarm *a, double p99_ns)
{
    const bool is_known = a->windows == PARA__ALARM_WINDOWS;
    const bool is_high =
        is_known && p99_ns > PARA__ALARM_FACTOR * a->usual_ns && p99_ns > PARA__ALARM_WAIT_NS;
    if (!is_high) { /* the mean of the first windows, then one that follows slowly */
        a->windows += !is_known;
        a->usual_ns += (p99_ns - a->usual_ns) / a->windows;
    }
    return tell_window(&a->alarm, is_high, PARA__ALARM_IN_A_ROW);
}

para__change para__alarm_predicted(para__alarm *a, double predicted_ns, double measured_ns)
{
    const bool is_off = measured_ns > PARA__ALARM_FACTOR * predicted_ns ||
                        predicted_ns > PARA__ALARM_FACTOR * measured_ns;
    return tell_window(a, is_off, PARA__ALARM_LONG);
}
