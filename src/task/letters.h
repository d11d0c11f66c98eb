/* Who gets what a pool has not done: see <para/letter.h>. */
#ifndef PARA_TASK_LETTERS_H
#define PARA_TASK_LETTERS_H

#include <para/letter.h>
#include <stddef.h>

typedef struct para__letters {
    void (*put)(const para_letter *letter, void *arg); /* NULL: nobody */
    void *arg;
} para__letters;

/* Of a task that has its outcome, or is about to begin. */
static inline para_letter para__letter_of(para_task *task, para_task_state state)
{
    return (para_letter){.task = task,
                         .run = task->run,
                         .arg = task->arg,
                         .id = task->id,
                         .state = state,
                         .status = task->status,
                         .result = task->result};
}

static inline void para__letters_put(const para__letters *letters, const para_letter *letter)
{
    if (letters && letters->put)
        letters->put(letter, letters->arg);
}

#endif
