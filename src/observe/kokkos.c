/* Profilers of Kokkos Tools: a library that KOKKOS_TOOLS_LIBS names is told of calls, through the
 * functions that it has: https://kokkos.org/kokkos-core-wiki/ProgrammingGuide/Tools.html
 *
 *     kokkosp_init_library            when para is loaded
 *     kokkosp_begin_parallel_for      a map, a sort          and the end of each, with the number
 *     kokkosp_begin_parallel_reduce   a reduction, a find    that the begin has given it
 *     kokkosp_begin_parallel_scan     a scan, a filter
 *     kokkosp_push_profile_region     a task, around the calls that it makes; and _pop_
 *     kokkosp_finalize_library        when the process ends
 *
 * Such tools are written for a program that begins kernels on one thread: many keep one stack for
 * the process. So one thread at a time tells. What others begin meanwhile is not told: it would
 * break that stack. */
#include "base/fork.h"
#include "base/log.h"
#include "base/module.h"
#include "base/process.h"
#include "base/variable.h"
#include "observe/look.h"
#include "observe/names.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the interface of 2021-10-15 has them. A device is a type of 8 bits, its number in 7, an
 * instance in 17. */
enum { INTERFACE = 20211015, THREADS_DEVICE = 6u << 24, DEEPEST = 32 };
typedef void init_tool(int load_sequence, uint64_t interface_version, uint32_t device_count,
                       void *devices);
typedef void end_tool(void);
typedef void begin_kernel(const char *name, uint32_t device, uint64_t *kernel);
typedef void end_kernel(uint64_t kernel);
typedef void push_region(const char *name);
typedef void pop_region(void);

/* What a thread is at. What has left its frame by a jump is over, as in base/doing.h. */
typedef struct frame_note {
    uintptr_t function, frame;
} frame_note;

typedef struct told_call {
    frame_note note;
    para__form form;
    uint64_t kernel; /* the tool's number */
} told_call;

static para__guard tool_guard = PARA__GUARD_INIT;

/* Set when the library is loaded; the rest is under the guard. */
static struct {
    unsigned forks; /* the process that has it; 0: none */
    end_tool *finalize;
    begin_kernel *begin[PARA__FORMS];
    end_kernel *end[PARA__FORMS];
    push_region *push;
    pop_region *pop;
    pid_t teller; /* the thread that tells; 0: none */
    unsigned depth;
    told_call call[DEEPEST]; /* its calls, the innermost last; those further in are not told */
    bool has_region;
    para__names_kept names;
} the_tool;

/* Of a thread: allocated when it first runs a task while a tool listens. */
typedef struct task_notes {
    unsigned depth;
    frame_note task[DEEPEST]; /* that the thread runs, the innermost last */
} task_notes;
static para__key notes_key;
static para__key teller_key; /* for the teller's end */

/* ---- Telling, under the guard --------------------------------------------------------- */

static para__form form_of(const para__told *event)
{
    return event->detail < PARA__FORMS ? (para__form)event->detail : PARA__FORM_MAP;
}

/* The innermost call is over, of those that are noted. */
static void pop_call(void)
{
    the_tool.depth = the_tool.depth < DEEPEST ? the_tool.depth - 1 : DEEPEST - 1;
    const told_call *const call = &the_tool.call[the_tool.depth];
    if (the_tool.end[call->form])
        the_tool.end[call->form](call->kernel);
    if (the_tool.depth > 0)
        return;
    if (the_tool.has_region)
        the_tool.pop();
    the_tool.has_region = false;
    the_tool.teller = 0;
}

static told_call *innermost_call(void)
{
    return &the_tool.call[(the_tool.depth < DEEPEST ? the_tool.depth : DEEPEST) - 1];
}

/* Whether the thread tells from now on, if no other does; its end will be seen. */
static bool becomes_teller(pid_t self)
{
    if (the_tool.teller == 0 && para__key_set(&teller_key, &the_tool))
        the_tool.teller = self;
    return the_tool.teller == self;
}

static void begin_call(const para__told *event, uintptr_t frame)
{
    const para__form form = form_of(event);
    const pid_t self = gettid();
    while (the_tool.teller == self && innermost_call()->note.frame <= frame)
        pop_call();
    if (!becomes_teller(self) || the_tool.depth++ >= DEEPEST)
        return;
    para__names_refresh(&the_tool.names);
    const task_notes *const notes = para__key_value(&notes_key);
    if (the_tool.depth == 1 && notes && notes->depth > 0 && the_tool.push && the_tool.pop) {
        the_tool.push(para__name_of(&the_tool.names, notes->task[notes->depth - 1].function));
        the_tool.has_region = true;
    }
    uint64_t kernel = 0;
    if (the_tool.begin[form])
        the_tool.begin[form](para__name_of(&the_tool.names, event->function), THREADS_DEVICE,
                             &kernel);
    *innermost_call() = (told_call){{event->function, frame}, form, kernel};
}

/* With those within it that were left. */
static void end_call(const para__told *event)
{
    unsigned at = the_tool.depth;
    if (the_tool.teller != gettid())
        return;
    if (at > DEEPEST) {
        the_tool.depth--;
        return;
    }
    while (at > 0 && the_tool.call[at - 1].note.function != event->function)
        at--;
    while (at > 0 && the_tool.depth >= at && the_tool.teller)
        pop_call();
}

/* The thread ends, perhaps within its calls. */
static void end_teller(void *unused)
{
    (void)unused;
    para__guard_enter(&tool_guard);
    while (the_tool.forks == para__fork_count() && the_tool.teller == gettid())
        pop_call();
    para__guard_leave(&tool_guard);
}

/* Of the calling thread's tasks; without memory nothing is told of them. */
static void begin_task(uintptr_t function, uintptr_t frame)
{
    task_notes *notes = para__key_value(&notes_key);
    if (!notes && (notes = calloc(1, sizeof *notes)) && !para__key_set(&notes_key, notes)) {
        free(notes);
        notes = NULL;
    }
    if (!notes)
        return;
    while (notes->depth > 0 && notes->task[notes->depth - 1].frame <= frame)
        notes->depth--;
    if (notes->depth < DEEPEST)
        notes->task[notes->depth++] = (frame_note){function, frame};
}

static void end_task(uintptr_t function)
{
    task_notes *const notes = para__key_value(&notes_key);
    unsigned at = notes ? notes->depth : 0;
    while (at > 0 && notes->task[at - 1].function != function)
        at--;
    if (at > 0)
        notes->depth = at - 1;
}

static void tell_tool(const para__told *event)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    const bool is_call = event->kind == PARA__EVENT_CALL;
    const bool begins = event->kind == PARA__EVENT_BEGUN;
    if (begins && event->a == 0)
        begin_task(event->function, frame);
    else if (event->kind == PARA__EVENT_TASK)
        end_task(event->function);
    else if (is_call || begins) {
        const int saved = errno;
        para__guard_enter(&tool_guard);
        if (the_tool.forks == para__fork_count() && begins)
            begin_call(event, frame);
        else if (the_tool.forks == para__fork_count())
            end_call(event);
        para__guard_leave(&tool_guard);
        errno = saved;
    }
}

/* ---- Loading -------------------------------------------------------------------------- */

/* A pointer to a function as dlsym gives it. */
#define TAKE_FUNCTION(to, library, name)               \
    do {                                               \
        void *const found_ = dlsym((library), (name)); \
        memcpy(&(to), &found_, sizeof found_);         \
    } while (0)

static bool take_functions(void *library)
{
    static const char *const forms[PARA__FORMS] = {
        [PARA__FORM_MAP] = "for", [PARA__FORM_REDUCE] = "reduce", [PARA__FORM_SCAN] = "scan"};
    bool has_any = false;
    for (unsigned f = 0; f < PARA__FORMS; f++) {
        char name[64];
        snprintf(name, sizeof name, "kokkosp_begin_parallel_%s", forms[f]);
        TAKE_FUNCTION(the_tool.begin[f], library, name);
        snprintf(name, sizeof name, "kokkosp_end_parallel_%s", forms[f]);
        TAKE_FUNCTION(the_tool.end[f], library, name);
        has_any |= the_tool.begin[f] != NULL;
    }
    TAKE_FUNCTION(the_tool.push, library, "kokkosp_push_profile_region");
    TAKE_FUNCTION(the_tool.pop, library, "kokkosp_pop_profile_region");
    TAKE_FUNCTION(the_tool.finalize, library, "kokkosp_finalize_library");
    return has_any;
}

/* Before what the tool's own library does at the end: this was registered after it. */
static void end_tools(void)
{
    if (the_tool.forks != para__fork_count())
        return;
    para__look_away(PARA__LOOKS_TOOL);
    para__guard_enter(&tool_guard);
    the_tool.forks = 0;
    if (the_tool.finalize)
        the_tool.finalize();
    para__guard_leave(&tool_guard);
}

/* In a program of Kokkos that loads the tool itself. */
static bool is_kokkos_here(void)
{
    return dlsym(RTLD_DEFAULT, "_ZN6Kokkos14is_initializedEv") != NULL;
}

static const char *load_tool(const char *path)
{
    init_tool *init;
    void *const library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library)
        return dlerror();
    if (!take_functions(library))
        return "it has no kokkosp_begin_parallel_for, _reduce or _scan";
    para__trace_listener = tell_tool;
    if (atexit(end_tools) != 0 || para__look(PARA__LOOKS_TOOL) != PARA_OK)
        return "out of memory";
    the_tool.forks = para__fork_count();
    TAKE_FUNCTION(init, library, "kokkosp_init_library");
    if (init)
        init(0, INTERFACE, 0, NULL);
    return NULL;
}

__attribute__((constructor(103))) static void begin_tools(void)
{
    const char *const libraries = para__file_variable("KOKKOS_TOOLS_LIBS");
    para__fork_handle(PARA__FORK_TOOL, &tool_guard, NULL);
    para__key_make(&teller_key, end_teller);
    if (!libraries || is_kokkos_here())
        return;
    para__key_make(&notes_key, free);
    const size_t first = strcspn(libraries, ";"); /* Kokkos loads that alone */
    char path[4096];
    const char *why = "the path is too long";
    if (first < sizeof path) {
        memcpy(path, libraries, first);
        path[first] = '\0';
        why = load_tool(path);
    }
    if (why)
        para__tell(PARA_LOG_TOOL, "KOKKOS_TOOLS_LIBS=%.200s: %s; no tool is told", libraries, why);
}
