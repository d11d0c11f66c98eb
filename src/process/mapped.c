#include "process/mapped.h"

#include "base/fork.h"
#include "base/guard.h"

static para__guard files = PARA__GUARD_INIT;
static para__mapped *first_file;
static uint64_t latest_file;

void para__mapped_add(para__mapped *mapped, const void *memory, size_t bytes)
{
    *mapped = (para__mapped){.begin = memory, .end = (const char *)memory + bytes};
    para__guard_enter(&files);
    mapped->number = ++latest_file;
    mapped->next = first_file;
    if (first_file)
        first_file->prev = mapped;
    first_file = mapped;
    para__guard_leave(&files);
}

void para__mapped_remove(para__mapped *mapped)
{
    para__guard_enter(&files);
    if (mapped->next)
        mapped->next->prev = mapped->prev;
    if (mapped->prev)
        mapped->prev->next = mapped->next;
    else
        first_file = mapped->next;
    para__guard_leave(&files);
}

uint64_t para__mapped_latest(void)
{
    para__guard_enter(&files);
    const uint64_t number = latest_file;
    para__guard_leave(&files);
    return number;
}

uint64_t para__mapped_with(const void *memory, size_t bytes)
{
    const char *const begin = memory;
    uint64_t number = 0;
    para__guard_enter(&files);
    for (const para__mapped *m = first_file; m && !number; m = m->next)
        if (begin >= m->begin && begin <= m->end && (size_t)(m->end - begin) >= bytes)
            number = m->number;
    para__guard_leave(&files);
    return number;
}

/* A child finds the list whole. */
__attribute__((constructor(101))) static void keep_files_whole(void)
{
    para__fork_handle(PARA__FORK_FILES, &files, NULL);
}
