/* Lock checking: what programs that are compiled with PARA_CHECK_LOCKS go through. */
#ifndef PARA_SYNC_CHECK_H
#define PARA_SYNC_CHECK_H

/* Forgets in which orders the mutex was locked: it is gone, and its address may become another's.
 */
void para__check_forget(const void *mutex);

#endif
