#include "base/tell.h"

#include "base/cancellation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void para__tell(const char *format, ...)
{
    char line[512] = "para: ";
    const int saved = errno;
    const size_t begin = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + begin, sizeof line - begin - 1, format, arguments);
    va_end(arguments);
    size_t end = begin;
    for (; line[end]; end++)
        if ((unsigned char)line[end] < ' ' || line[end] == 127)
            line[end] = '?';
    line[end++] = '\n';
    const int cancel_state = para__cancellation_off();
    const ssize_t written = write(STDERR_FILENO, line, end); /* whom could we tell? */
    (void)written;
    para__cancellation_restore(cancel_state);
    errno = saved;
}
