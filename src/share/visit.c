#include "share/visit.h"

#include "base/assert.h"
#include "share/participant.h"
#include "share/valid.h"

para__visit para__lane_visit(para__lanes *lanes, unsigned index, unsigned worker, unsigned within)
{
    para__lane *lane = &lanes->lane[index];
    para__atomic_u64 *seen = &lanes->helper[worker].seen[index];
    const para__job_descriptor *descriptor = &lane->descriptor[lanes->helper[worker].group];
    const uint64_t call = para__load_acquire(E1, &descriptor->call);
    const uint64_t epoch = call >> PARA__COUNT_BITS;
    if (epoch == para__load_relaxed(seen)) /* see lane.h */
        return PARA__VISIT_NOTHING;
    const uint64_t word = para__load_relaxed(&descriptor->team); /* tagged: its own proof of age */
    const para__team t = para__team_of(word);
    if (!para__is_of_age(word, epoch) || (within && t.within != within))
        return PARA__VISIT_NOTHING;   /* the next call is being published, or it is not asked for */
    para__store_relaxed(seen, epoch); /* see lane.h */
    __builtin_prefetch(descriptor->payload); /* on its way while a ticket is claimed */
    __builtin_prefetch(descriptor->payload + 64);
    if (worker == t.caller_place)
        return PARA__VISIT_DISPLACED;
    const unsigned rank = para__team_rank(&t, worker);
    if (rank >= t.invited)
        return PARA__VISIT_NOTHING;

    const unsigned first_claim = (unsigned)call & PARA__SLICE_TICKETS_MAX;
    para__participant p = {
        .lanes = lanes,
        .lane = lane,
        .waits = within ? &lanes->lane[within - 1] : NULL,
        .descriptor = descriptor,
        .epoch = epoch,
        .division = {.width = t.width,
                     .tickets = (unsigned)(call & PARA__COUNT_MASK) >> PARA__TICKET_BITS,
                     .caller_slice = para__team_slice(lanes, &t, t.caller_place),
                     .weighing = &lane->weighing},
        .team = t,
        .self = worker,
        .first = para__max(lanes->helper[worker].group_first, t.first),
        .end = para__min(lanes->helper[worker].group_end, t.first + t.width),
        .first_claim = first_claim,
        .claim = first_claim ? first_claim : 1,
        .runner = {.worker = rank,
                   .stop = &lane->stop,
                   .left_out = &lane->left_out,
                   .kind = lanes->helper[worker].kind}};
    if (PARA__ASSERTS)
        para__participant_check(&p);
    para__participant_wake_next(&p);
    para__participant_work_on(&p, worker);
    para__participant_steal_near(&p);
    if (!para__participant_has_one_group(&p))
        para__participant_steal_far(&p);
    if (p.begun)
        (void)para__fp_swap(p.own_fp);
    return PARA__VISIT_WORKED;
}

bool para__lane_has_news(para__lanes *lanes, unsigned index, unsigned worker)
{
    para__job_descriptor *descriptor = &lanes->lane[index].descriptor[lanes->helper[worker].group];
    return para__load_seq_cst(E5, &descriptor->call) >> PARA__COUNT_BITS /* after PARKED */
           != para__load_relaxed(&lanes->helper[worker].seen[index]);    /* see lane.h */
}

bool para__lanes_have_news(para__lanes *lanes, unsigned worker)
{
    const unsigned used = para__load_seq_cst(E5, &lanes->used);
    for (unsigned i = 0; i < used; i++)
        if (para__lane_has_news(lanes, i, worker))
            return true;
    return false;
}

para__visit para__lanes_serve(para__lanes *lanes, unsigned worker)
{
    para__helper *self = &lanes->helper[worker];
    para__visit outcome = PARA__VISIT_NOTHING;
    if (para__load_relaxed(&self->displaced) || para__swap_acquire(E8, &self->acting, 1) != 0)
        return PARA__VISIT_DISPLACED;
    const unsigned used = para__load_relaxed(&lanes->used); /* have_news did, in order */
    for (unsigned i = 0; i < used; i++) {
        const para__visit visit = para__lane_visit(lanes, i, worker, 0);
        outcome = visit > outcome ? visit : outcome;
    }
    para__store_release(E8, &self->acting, 0);
    return outcome;
}

unsigned para__helpers_group(para__helper *helper, unsigned workers)
{
    for (unsigned w = 0; w < workers; w++)
        helper[w].group_first =
            w > 0 && helper[w - 1].group == helper[w].group ? helper[w - 1].group_first : w;
    for (unsigned w = workers; w-- > 0;)
        helper[w].group_end = w + 1 < workers && helper[w + 1].group == helper[w].group
                                  ? helper[w + 1].group_end
                                  : w + 1;
    return helper[workers - 1].group + 1;
}
