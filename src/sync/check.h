/* Lock checking, for programs that are compiled with PARA_CHECK_LOCKS. */
#ifndef PARA_SYNC_CHECK_H
#define PARA_SYNC_CHECK_H

/* Forgets all orders of a mutex that is destroyed: another one may get its address. */
void para__check_forget(const void *mutex);

#endif
