/* A participant goes through a run of a call's elements, chunk by chunk. */
#ifndef PARA_DATA_AIM_H
#define PARA_DATA_AIM_H

#include "data/views.h"
#include "share/job.h"

/* Where the blocks before that one end, of count > 0 elements in blocks of so many. */
static inline size_t para__block_end(size_t number, size_t block, size_t count)
{
    return number > (count - 1) / block ? count : number * block;
}

/* A chunk of that participant, about to go through elements from `first` on. cancel: the call's. */
static inline void para__aim_begin(para__aim *aim, const para__runner *runner, void *scratch,
                                   const para_cancel *cancel, size_t first)
{
    para__aim_init(aim, scratch, runner->worker, runner->kind);
    aim->chunk.first = first;
    aim->chunk.count = 0;
    if (cancel) {
        aim->stop = (para_stop_){.cancel = cancel};
        aim->chunk.stop_ = &aim->stop;
    }
}

/* Whether the kernel has been told that its call is to end: then its chunk is not done. */
static inline bool para__aim_is_told(const para__aim *aim)
{
    return aim->chunk.stop_ && aim->stop.told;
}

/* Records a kernel call for the chunk, and what it returned. Whether the participant is to leave
 * out what follows. */
static inline bool para__aim_record(const para__aim *aim, para__runner *runner, int error)
{
    const bool is_told = para__aim_is_told(aim);
    para__runner_record(runner, aim->chunk.first, aim->chunk.count, is_told ? 0 : error);
    if (is_told)
        para__runner_cancel(runner);
    return is_told || error;
}

/* The participant is through with the elements before `end`: counts those that it has left out. */
static inline void para__aim_end(const para__aim *aim, para__runner *runner, size_t end)
{
    const size_t done = aim->chunk.first + (para__aim_is_told(aim) ? 0 : aim->chunk.count);
    if (done < end)
        para__runner_leave_out(runner, end - done);
}

#endif
