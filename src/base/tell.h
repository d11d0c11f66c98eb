/* What the library says unasked: one line on standard error. */
#ifndef PARA_BASE_TELL_H
#define PARA_BASE_TELL_H

/* Writes "para: ", the text and a line's end, by one system call; what would break the line is
 * shown as a question mark. Keeps errno. Not a cancellation point. */
void para__tell(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

#endif
