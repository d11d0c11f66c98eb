#include "task/ingress.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "sync/cancel.h"
#include "task/state.h"

/* Where those wait who find no room. */
static const void *room_of(const para__ingress *in)
{
    return &in->waiting;
}

/* ---- Under the latch ------------------------------------------------------------------ */

static void count_in(para__ingress *in)
{
    const uint64_t one_more = ((uint64_t)1 << 32) + 1;
    para__swap_seq_cst(E5, &in->news,
                       para__load_relaxed(&in->news) + one_more); /* under the latch */
}

/* Its turn, as a number that tells its line as well. */
static uint64_t turn_of(uint64_t turn, unsigned line)
{
    return turn * PARA__SUBMITTER_LINES + line;
}

static para__task_line *line_of(para__ingress *in, const para_task *task)
{
    return in->takes_turns ? &in->turns[task->priority][task->turn_ % PARA__SUBMITTER_LINES]
                           : &in->line[task->priority];
}

/* A line whose turn comes last. */
static void enter_ring(para__ingress *in, unsigned priority, para__task_line *line)
{
    para__task_line **const served = &in->served[priority];
    if (line->next || !in->takes_turns)
        return;
    line->next = *served ? (*served)->next : line;
    if (*served)
        (*served)->next = line;
    *served = line;
}

/* The line whose turn it is; NULL: there is no task. */
static para__task_line *line_in_turn(para__ingress *in, unsigned priority)
{
    if (!in->takes_turns)
        return in->line[priority].first ? &in->line[priority] : NULL;
    para__task_line **const served = &in->served[priority];
    while (*served && !(*served)->next->first) {
        para__task_line *const empty = (*served)->next;
        (*served)->next = empty->next;
        if (*served == empty)
            *served = NULL;
        empty->next = NULL;
    }
    return *served ? (*served)->next : NULL;
}

static void append(para__ingress *in, para_task *task, unsigned submitter)
{
    const uint64_t arrived =
        para__load_relaxed(&in->arrived);           /* both: under the latch, which also */
    para__store_relaxed(&in->arrived, arrived + 1); /* publishes it with the task */
    if (para__kin_depth(task->kin_) == 1)
        task->kin_ = para__kin_of((uint32_t)arrived, 1);
    task->turn_ = turn_of(arrived + (uint64_t)(PARA_TASK_PRIORITIES - 1 - task->priority) *
                                        PARA_TASK_HEAD_START,
                          submitter % PARA__SUBMITTER_LINES);
    para__task_line *const line = line_of(in, task);
    task->next_ = NULL;
    task->prev_ = line->last;
    *(line->last ? &line->last->next_ : &line->first) = task;
    line->last = task;
    enter_ring(in, task->priority, line);
    para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED | PARA__TASK_IN_LINE);
    count_in(in);
}

void para__ingress_put_back(para__ingress *in, para_task *task)
{
    task->turn_ = 0;
    para__task_line *const line = line_of(in, task);
    task->prev_ = NULL;
    task->next_ = line->first;
    *(task->next_ ? &task->next_->prev_ : &line->last) = task;
    line->first = task;
    enter_ring(in, task->priority, line);
    para__add_relaxed(para__task_word(task), PARA__TASK_IN_LINE);
    count_in(in);
}

static void unlink_task(para__ingress *in, para_task *task)
{
    para__task_line *const line = line_of(in, task);
    *(task->prev_ ? &task->prev_->next_ : &line->first) = task->next_;
    *(task->next_ ? &task->next_->prev_ : &line->last) = task->prev_;
    para__add_relaxed(para__task_word(task), -(uint32_t)PARA__TASK_IN_LINE);
    para__store_relaxed(&in->news, para__load_relaxed(&in->news) - 1); /* too high for a moment: a
                                                                          look in vain */
}

/* The least turn of those in front of the lines of a ring. */
static uint64_t oldest(const para__task_line *ring)
{
    uint64_t least = UINT64_MAX;
    const para__task_line *line = ring;
    do {
        if (line->first)
            least = para__min(least, line->first->turn_);
        line = line->next;
    } while (line && line != ring);
    return least;
}

static para_task *take_first(para__ingress *in)
{
    para__task_line *found = NULL;
    uint64_t least = 0;
    for (unsigned p = 0; p < PARA_TASK_PRIORITIES; p++) {
        para__task_line *const line = line_in_turn(in, p);
        const uint64_t turn = line ? oldest(line) : 0;
        if (line && (!found || turn / PARA__SUBMITTER_LINES <= least / PARA__SUBMITTER_LINES)) {
            found = line;
            least = turn;
        }
    }
    if (!found)
        return NULL;
    para_task *const task = found->first;
    if (in->takes_turns)
        in->served[task->priority] = found;
    unlink_task(in, task);
    return task;
}

static para_task *find_in_group(const para__task_line *ring, const para_task_group *group)
{
    const para__task_line *line = ring;
    para_task *found = NULL;
    while (line && !found) {
        for (found = line->first; found && found->group != group;)
            found = found->next_;
        line = line->next == ring ? NULL : line->next;
    }
    return found;
}

para_task *para__ingress_take_out(para__ingress *in, para_task *task, para_task_group *group)
{
    para_task *found = NULL;
    if (task &&
        para__load_relaxed(para__task_word(task)) & PARA__TASK_IN_LINE) /* under the latch */
        found = task;
    for (unsigned p = PARA_TASK_PRIORITIES; group && !found && p-- > 0;)
        found = find_in_group(in->takes_turns ? in->served[p] : &in->line[p], group);
    if (found)
        unlink_task(in, found);
    return found;
}

/* ---- Room ----------------------------------------------------------------------------- */

void para__ingress_tell_room(para__ingress *in, unsigned room)
{
    para__queue_wake(room_of(in), room);
}

/* The task's own, else the calling thread's number, from 1 on. */
static unsigned submitter_of(const para_task *task)
{
    static para__atomic_u32 threads;
    static PARA__THREAD_LOCAL uint32_t number;
    if (task->submitter)
        return task->submitter;
    if (number == 0)
        number = para__add_relaxed(&threads, 1) + 1; /* a count on its own */
    return number;
}

/* PARA_ERR_TIMEOUT: there is no room, which is counted if the thread begins to wait;
 * PARA_ERR_ENDING: the queue is closed. */
static para_status try_put(para__ingress *in, para_task *task, bool begins)
{
    const unsigned submitter = in->takes_turns ? submitter_of(task) : 0;
    para_status status = PARA_OK;
    para__latch_lock(&in->latch);
    if (in->is_closed)
        status = PARA_ERR_ENDING;
    else if (para__ingress_count(in) >= in->capacity)
        status = PARA_ERR_TIMEOUT;
    if (!status)
        append(in, task, submitter);
    else if (begins && status == PARA_ERR_TIMEOUT)
        in->waiting++;
    para__latch_unlock(&in->latch);
    return status;
}

/* It looks now and then if little room is not told of: what runs may wait for this very task. */
static para_status sleep_until_told(const para__ingress *in, para__event *event,
                                    uint64_t deadline_ns)
{
    if (in->capacity < PARA__ROOM_PART)
        return para__wait(event, deadline_ns, NULL);
    const uint64_t look = para__now_ns() + PARA__TASKS_LOOK_NS;
    const para_status status = para__wait(event, para__min(deadline_ns, look), NULL);
    return status == PARA_ERR_TIMEOUT && look < deadline_ns ? PARA_OK : status;
}

/* Waits in line, and is counted. A thread that is told of room may find it taken by a newcomer, and
 * waits on. One that is told once more than it needs passes it on: it has got in or gives up. */
static para_status wait_and_put(para__ingress *in, para_task *task, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = room_of(in), .event = &event};
    para__bucket *bucket = para__bucket_lock(waiter.key);
    para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    para_status given_up = PARA_OK;
    para_status status;
    while ((status = try_put(in, task, false)) == PARA_ERR_TIMEOUT && !given_up) {
        given_up = sleep_until_told(in, &event, deadline_ns);
        bucket = para__bucket_lock(waiter.key);
        para__event_arm(&event);
        para__store_relaxed(&waiter.woken, false); /* under the latch */
        para__bucket_unlock(bucket);
    }
    bucket = para__bucket_lock(waiter.key);
    para__queue_remove(bucket, &waiter);
    const bool is_told = para__load_relaxed(&waiter.woken); /* under the latch */
    para__bucket_unlock(bucket);
    para__latch_lock(&in->latch);
    const bool others_wait = --in->waiting > 0;
    para__latch_unlock(&in->latch);
    if (is_told && others_wait)
        para__ingress_tell_room(in, 1);
    return status;
}

para_status para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns)
{
    const para_status status = try_put(in, task, deadline_ns != 0);
    return status == PARA_ERR_TIMEOUT && deadline_ns ? wait_and_put(in, task, deadline_ns) : status;
}

unsigned para__ingress_take(para__ingress *in, para_task **taken, para__deque *rest, unsigned most,
                            unsigned part)
{
    para_task *next[PARA__DEQUE_TASKS];
    *taken = NULL;
    if (para__ingress_count(in) == 0)
        return 0;
    para__latch_lock(&in->latch);
    const unsigned count = para__ingress_count(in);
    const unsigned share = para__clamp(count / part, 1, para__min(most, PARA__DEQUE_TASKS));
    unsigned n = 0;
    while (n < share && (next[n] = take_first(in)))
        n++;
    for (unsigned i = n; i-- > 1;) /* the first in line is taken first */
        (void)para__deque_push(rest, next[i]);
    const bool is_awaited = n && para__ingress_tells_room(in);
    para__latch_unlock(&in->latch);
    if (is_awaited)
        para__ingress_tell_room(in, n);
    if (n)
        *taken = next[0];
    return n;
}

para_task *para__ingress_take_first(para__ingress *in)
{
    para__latch_lock(&in->latch);
    para_task *const task = take_first(in);
    para__latch_unlock(&in->latch);
    return task;
}

void para__ingress_close(para__ingress *in)
{
    para__latch_lock(&in->latch);
    in->is_closed = true;
    para__latch_unlock(&in->latch);
    para__queue_wake_all(room_of(in)); /* who is not in line yet finds it closed */
}
