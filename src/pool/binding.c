#include "pool/binding.h"

#include "base/bounds.h"
#include "base/cpus.h"
#include "base/log.h"
#include "base/tuning.h"

static para__cpus cpus_around(const para__worker *self, bool whole_domain)
{
    const para__machine *const machine = self->pool->machine;
    const para_cpu_info *const own = &machine->cpu[self->cpu_index];
    para__cpus cpus = {{0}};
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const para_cpu_info *const cpu = &machine->cpu[i];
        if (cpu == own || (whole_domain && cpu->domain == own->domain) ||
            (self->pool->shares_cores && cpu->core == own->core))
            para__cpus_add(&cpus, cpu->os_index);
    }
    return cpus;
}

para__cpus para__worker_cpus(const para__worker *self)
{
    return self->pool->places ? self->pool->places->place[self->place]
                              : cpus_around(self, self->pool->binding == PARA_BIND_DOMAIN);
}

para_status para__worker_bind(const para__worker *self)
{
    const para__cpus cpus = para__worker_cpus(self);
    return para__bind_thread(self->pool->machine, &cpus);
}

bool para__worker_is_loose(const para__worker *worker)
{
    return para__load_relaxed(&worker->loosening.shown); /* a value on its own */
}

static void set_loose(para__worker *self, bool is_loose)
{
    self->loosening.is_loose = is_loose;
    para__store_relaxed(&self->loosening.shown, is_loose); /* likewise */
}

void para__worker_is_new(para__worker *self)
{
    set_loose(self, false);
    self->loosening.calm_ns = 0;
}

void para__worker_is_contended(para__worker *self, unsigned failed_yields)
{
    para__loosening *const l = &self->loosening;
    if (!self->pool->gives_up_pins || para__load_relaxed(&self->bind_status) ||
        failed_yields < PARA__YIELDS_LOOSE || l->is_loose)
        return;
    const para__cpus domain = cpus_around(self, true);
    const para__cpus own = para__worker_cpus(self);
    if (para__cpus_count(&domain) <= para__cpus_count(&own))
        return;
    set_loose(self, true); /* first: who asks finds it pinned, or loose */
    if (para__bind_thread(self->pool->machine, &domain) != PARA_OK) {
        set_loose(self, false);
        return;
    }
    const para__usage now = para__thread_usage();
    const bool has_held = now.cpu_ns >= l->since.cpu_ns + PARA__CALM_MOST_NS;
    l->calm_ns = l->calm_ns && !has_held ? para__min(2 * l->calm_ns, PARA__CALM_MOST_NS)
                                         : PARA__CALM_LEAST_NS;
    l->since = now;
    para__log(PARA_LOG_PIN_DROPPED, self->index, "worker %u, for %ju ms at least", self->index,
              (uintmax_t)(l->calm_ns / 1000000));
}

void para__worker_looks_around(para__worker *self, para__usage now)
{
    para__loosening *const l = &self->loosening;
    if (!l->is_loose)
        return;
    const uint64_t ran_ns = now.cpu_ns - l->since.cpu_ns;
    const uint64_t preemptions = (uint64_t)(now.preemptions - l->since.preemptions);
    if (preemptions > 1 + ran_ns / PARA__CALM_LEAST_NS)
        l->since = now;
    if (now.at_ns - l->since.at_ns < l->calm_ns)
        return;
    if (ran_ns < l->calm_ns && para__cpus_are_full(PARA__LOAD)) {
        l->since.at_ns = now.at_ns - l->calm_ns + PARA__CALM_LEAST_NS; /* asked again after that */
        return;
    }
    if (para__worker_bind(self) != PARA_OK)
        return;
    l->since = now; /* the pin is back */
    set_loose(self, false);
    para__yield_init(&self->yield); /* what it knows is of other CPUs */
    para__log(PARA_LOG_PIN_BACK, self->index, "worker %u", self->index);
}
