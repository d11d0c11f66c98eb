/* Descriptors that become readable when something has happened, for poll loops. */
#ifndef PARA_BASE_SIGNAL_FD_H
#define PARA_BASE_SIGNAL_FD_H

/* A new one, closed on exec; -1: errno tells why. */
int para__signal_fd_make(void);

/* Makes it readable, for whoever has it. Leaves errno as it was. */
void para__signal_fd_tell(int fd);

/* Closes one that nobody else has seen. Leaves errno as it was. */
void para__signal_fd_drop(int fd);

#endif
