#include "plan/breaker.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/tuning_tasks.h"

#include <string.h>

para_breaker para__breaker_complete(para_breaker config)
{
    config.least_calls = config.least_calls ? config.least_calls : PARA__BREAKER_CALLS;
    config.window_ns =
        config.window_ns ? config.window_ns : (uint64_t)PARA__BREAKER_WINDOW_MS * PARA__NS_OF_MS;
    config.pause_ns =
        config.pause_ns ? config.pause_ns : (uint64_t)PARA__BREAKER_PAUSE_MS * PARA__NS_OF_MS;
    config.probes = config.probes ? config.probes : 1;
    return config;
}

static uint64_t slot_at(const para_breaker *config, uint64_t now_ns)
{
    return now_ns / para__max(config->window_ns / PARA__BREAKER_SLOTS, 1);
}

para__breaker para__breaker_renew(const para__breaker *former)
{
    return (para__breaker){.period = (former->period + 1) & (UINT32_MAX >> 1)};
}

static void change_state(para__breaker *breaker, para_breaker_state state)
{
    *breaker = para__breaker_renew(breaker);
    breaker->state = state;
}

static void open_at(para__breaker *breaker, uint64_t now_ns)
{
    change_state(breaker, PARA_BREAKER_OPEN);
    breaker->opened_ns = now_ns;
}

bool para__breaker_admit(para__breaker *breaker, const para_breaker *config, uint64_t now_ns)
{
    const bool is_over =
        now_ns >= breaker->opened_ns && /* a clock of the program's may step back */
        now_ns - breaker->opened_ns >= config->pause_ns;
    if (breaker->state == PARA_BREAKER_OPEN && is_over)
        change_state(breaker, PARA_BREAKER_PROBING);
    if (breaker->state == PARA_BREAKER_PROBING)
        return breaker->probes_begun < config->probes && ++breaker->probes_begun;
    return breaker->state == PARA_BREAKER_CLOSED;
}

/* Makes the slot of that time the newest, and empties those that the window has left behind. */
static void advance_window(para__breaker *breaker, uint64_t slot)
{
    if (slot <= breaker->newest) /* likewise: what is late counts in the newest */
        return;
    const uint64_t steps = para__min(slot - breaker->newest, PARA__BREAKER_SLOTS);
    for (uint64_t i = 0; i < steps; i++)
        memset(&breaker->slot[(slot - i) % PARA__BREAKER_SLOTS], 0, sizeof breaker->slot[0]);
    breaker->newest = slot;
}

void para__breaker_count(const para__breaker *breaker, const para_breaker *config, uint64_t now_ns,
                         unsigned *calls, unsigned *failures)
{
    para__breaker now = *breaker;
    advance_window(&now, slot_at(config, now_ns));
    *calls = *failures = 0;
    for (unsigned i = 0; i < PARA__BREAKER_SLOTS; i++) {
        *calls += now.slot[i].calls;
        *failures += now.slot[i].failures;
    }
}

static void count_in_window(para__breaker *breaker, const para_breaker *config, uint64_t now_ns,
                            bool has_failed)
{
    unsigned calls, failures;
    advance_window(breaker, slot_at(config, now_ns));
    breaker->slot[breaker->newest % PARA__BREAKER_SLOTS].calls++;
    breaker->slot[breaker->newest % PARA__BREAKER_SLOTS].failures += has_failed;
    if (!has_failed)
        return;
    para__breaker_count(breaker, config, now_ns, &calls, &failures);
    if (calls >= config->least_calls &&
        (uint64_t)failures * 100 >= (uint64_t)calls * config->error_percent)
        open_at(breaker, now_ns);
}

void para__breaker_tell(para__breaker *breaker, const para_breaker *config, uint64_t now_ns,
                        uint32_t period, bool has_failed)
{
    if (period != breaker->period)
        return;
    if (breaker->state == PARA_BREAKER_CLOSED)
        count_in_window(breaker, config, now_ns, has_failed);
    else if (has_failed)
        open_at(breaker, now_ns);
    else if (++breaker->probes_succeeded == config->probes)
        change_state(breaker, PARA_BREAKER_CLOSED);
}

void para__breaker_take_back(para__breaker *breaker, uint32_t period)
{
    if (period == breaker->period && breaker->state == PARA_BREAKER_PROBING)
        breaker->probes_begun--;
}
