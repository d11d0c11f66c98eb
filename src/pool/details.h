/* What a call has said of its failure that was made as a task: its detail is its thread's, and who
 * waits for the task is another one. */
#ifndef PARA_POOL_DETAILS_H
#define PARA_POOL_DETAILS_H

#include "base/status.h"

#include <para/task.h>
#include <stdbool.h>

/* Keeps the calling thread's detail for those who wait for the task, whose call has failed with
 * that status. Of many that nobody has asked for, the oldest are forgotten. */
void para__details_keep(const para_task *task, para_status status);

/* The detail of that task's call; false: it is not known. */
bool para__details_find(const para_task *task, para_status status, para__detail *detail);

#endif
