/* The board as one sees it who does not trust it. A kernel may write over the words of a call and
 * live on. What cannot be is told here: a job that differs from what was published, a word that no
 * call has. What the caller then does is in desk.c and supervisor.c.
 *
 * It costs little where it is often: the job is compared once for each call, when the lines are in
 * the caller's cache. Words are looked at after a death, and now and then while a call lasts. */
#include "process/board.h"

#include <string.h>

bool para__board_is_intact(const para__post *post)
{
    para__board *const board = post->board;
    const para__job *const job = post->job;
    return !para__load_relaxed(&board->spoilt) && /* both: values alone */
           para__load_relaxed(&board->call) == para__board_word(post->call) &&
           board->run == job->run && board->kernel == job->kernel && board->units == post->units &&
           board->dealt == post->dealt && board->fp == post->fp &&
           memcmp(board->payload, job->payload, job->payload_bytes) == 0;
}

static bool is_later(uint32_t epoch, uint32_t than)
{
    return (int32_t)(epoch - than) > 0;
}

static bool is_possible(para__ticket_word w, para__board_call c)
{
    if (w.epoch != c.epoch)
        return !is_later(w.epoch, c.epoch);
    return w.state <= PARA__TICKET_LOST && w.worker < para__max(c.width, 1);
}

bool para__board_is_sound(const para__post *post)
{
    para__board *const board = post->board;
    const para__board_call c = post->call;
    bool is_sound = para__board_is_intact(post);
    for (unsigned t = 0; is_sound && t < c.tickets; t++)
        is_sound = is_possible(para__ticket_read(para__load_relaxed(&board->word[t])), c);
    for (unsigned w = 0; is_sound && w < c.width; w++) {
        const uint64_t told = para__load_relaxed(&board->record[w].told); /* all: values alone */
        is_sound = !is_later((uint32_t)(told >> 32), c.epoch) &&
                   para__done_read(told, c.epoch).count <= c.tickets;
    }
    return is_sound;
}

bool para__board_rests(const para__post *post)
{
    const para__board_call c = post->call;
    for (unsigned t = 0; t < c.tickets; t++) {
        const para__ticket_word w =
            para__ticket_read(para__load_relaxed(&post->board->word[t])); /* all: values alone */
        if (w.epoch != c.epoch || w.state == PARA__TICKET_FREE)
            return false;
        para__presence *const p = &post->hall->worker[w.worker % PARA__PROCESSES_MAX];
        if (w.state == PARA__TICKET_CLAIMED && para__load_relaxed(&p->since_ticks) != 0 &&
            para__load_relaxed(&p->board) == post->number)
            return false;
    }
    return true;
}
