#include "cli/trace_sums.h"

#include "cli/say.h"

#include <stdlib.h>
#include <string.h>

/* Makes room for one more; false: there is no memory. */
static bool has_room(void **list, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return true;
    const size_t more = *room ? 2 * *room : 16;
    void *const grown = realloc(*list, more * bytes);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

static para__traced_thread *thread_of(para__traced *traced, const para__trace_event *event)
{
    for (size_t i = 0; i < traced->threads; i++) { /* most often the last one's again */
        const size_t t = (traced->last_thread + i) % traced->threads;
        if (traced->thread[t].tid == event->tid && traced->thread[t].pid == event->pid) {
            traced->last_thread = t;
            return &traced->thread[t];
        }
    }
    if (!has_room((void **)&traced->thread, traced->threads, &traced->thread_room,
                  sizeof *traced->thread))
        return NULL;
    para__traced_thread *const made = &traced->thread[traced->threads++];
    *made = (para__traced_thread){.pid = event->pid, .tid = event->tid, .first_ns = UINT64_MAX};
    return made;
}

static para__traced_name *name_of(para__traced *traced, const char *name)
{
    for (size_t i = 0; i < traced->names; i++)
        if (strcmp(traced->name[i].name, name) == 0)
            return &traced->name[i];
    if (!has_room((void **)&traced->name, traced->names, &traced->name_room, sizeof *traced->name))
        return NULL;
    para__traced_name *const made = &traced->name[traced->names++];
    memset(made, 0, sizeof *made);
    snprintf(made->name, sizeof made->name, "%s", name);
    return made;
}

static void count_why(para__traced_name *name, const char *why)
{
    unsigned w = 0;
    while (w < 3 && name->why[w].count && strcmp(name->why[w].text, why) != 0)
        w++;
    if (name->why[w].count++ == 0)
        snprintf(name->why[w].text, sizeof name->why[w].text, "%s",
                 w < 3 ? why : "various reasons");
}

static void count_name(para__traced_name *name, const para__trace_event *event, uint64_t self_ns)
{
    const uint64_t ns = event->end_ns - event->begin_ns;
    const bool is_work = event->doing <= PARA__DOING_TASK;
    if (event->is_call) {
        name->calls++;
        name->shared += event->width > 1;
        count_why(name, event->why);
    }
    name->batches += event->doing == PARA__DOING_BATCH || event->doing == PARA__DOING_STOLEN;
    name->stolen += event->doing == PARA__DOING_STOLEN;
    name->tasks += event->doing == PARA__DOING_TASK;
    name->self_ns += is_work ? self_ns : 0;
    if (is_work && ns > name->longest_ns)
        name->longest_ns = ns;
}

/* Spans come when they end, so those within one are the last that came. */
static bool add_span(para__traced *traced, para__traced_thread *thread,
                     const para__trace_event *event, para__span_fn *tell, void *of)
{
    size_t first = thread->closed_count;
    uint64_t within_ns = 0;
    while (first > 0 && thread->closed[first - 1].begin_ns >= event->begin_ns) {
        first--;
        within_ns += thread->closed[first].end_ns - thread->closed[first].begin_ns;
    }
    if (tell)
        tell(of, (size_t)(thread - traced->thread), event, thread->closed + first,
             thread->closed_count - first);
    const uint64_t ns = event->end_ns - event->begin_ns;
    const uint64_t self_ns = ns > within_ns ? ns - within_ns : 0;
    thread->closed_count = first;
    if (!has_room((void **)&thread->closed, first, &thread->closed_room, sizeof *thread->closed))
        return false;
    thread->closed[thread->closed_count++] = (para__closed){event->begin_ns, event->end_ns};
    thread->self_ns[event->doing] += self_ns;
    if (event->doing > PARA__DOING_TASK && !event->is_call)
        return true;
    para__traced_name *const name = name_of(traced, event->name);
    if (name)
        count_name(name, event, self_ns);
    return name != NULL;
}

static bool add_event(para__traced *traced, const para__trace_event *event, para__span_fn *tell,
                      void *of)
{
    if (event->has_dropped) {
        traced->dropped = event->dropped;
        traced->is_closed = true;
    }
    if (event->phase != 'X' && event->phase != 'i' && !event->names_thread)
        return true;
    para__traced_thread *const thread = thread_of(traced, event);
    if (!thread)
        return false;
    if (event->names_thread) {
        snprintf(thread->name, sizeof thread->name, "%s", event->name);
        return true;
    }
    traced->events++;
    if (event->begin_ns < traced->first_ns)
        traced->first_ns = event->begin_ns;
    if (event->end_ns > traced->last_ns)
        traced->last_ns = event->end_ns;
    if (event->begin_ns < thread->first_ns)
        thread->first_ns = event->begin_ns;
    thread->last_ns = event->end_ns > thread->last_ns ? event->end_ns : thread->last_ns;
    if (event->phase != 'X')
        return true;
    if (event->has_queued) {
        if (!has_room((void **)&traced->queued_ns, traced->queued, &traced->queued_room,
                      sizeof *traced->queued_ns))
            return false;
        traced->queued_ns[traced->queued++] = event->queued_ns;
    }
    return add_span(traced, thread, event, tell, of);
}

static int compare_names(const void *a, const void *b)
{
    const para__traced_name *const x = a, *const y = b;
    return (x->self_ns < y->self_ns) - (x->self_ns > y->self_ns);
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t *const x = a, *const y = b;
    return (*x > *y) - (*x < *y);
}

int para__traced_read(para__traced *traced, FILE *stream, const char *path, para__span_fn *tell,
                      void *of)
{
    para__trace_reader reader = {.stream = stream, .path = path};
    para__trace_event event;
    int found;
    *traced = (para__traced){.first_ns = UINT64_MAX};
    bool has_memory = true;
    while (has_memory && (found = para__trace_read(&reader, &event)) > 0)
        has_memory = add_event(traced, &event, tell, of);
    free(reader.line);
    if (!has_memory)
        return para__say_status(PARA_ERR_MEMORY);
    if (found < 0)
        return -found;
    if (traced->events == 0)
        return para__say_failed("%s: the trace has no events", path);
    if (traced->names)
        qsort(traced->name, traced->names, sizeof *traced->name, compare_names);
    if (traced->queued)
        qsort(traced->queued_ns, traced->queued, sizeof *traced->queued_ns, compare_times);
    return 0;
}

void para__traced_free(para__traced *traced)
{
    for (size_t i = 0; i < traced->threads; i++)
        free(traced->thread[i].closed);
    free(traced->thread);
    free(traced->name);
    free(traced->queued_ns);
}
