/* para_must: for calls whose failure the program cannot survive. */
#ifndef PARA_MUST_H
#define PARA_MUST_H

#include <para/status.h>
#include <stdio.h>
#include <stdlib.h>

/* para_must(call): if the call's status is not PARA_OK, prints one line on standard error, with the
 * place, the call and what para_status_text and para_status_detail say, and ends the program
 * (abort).
 *     para_must(para_loop(saxpy, n, 2, x, y)); */
#define para_must(...) para_must_succeed_((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

static inline void para_must_succeed_(para_status status, const char *what, const char *file,
                                      int line)
{
    if (status == PARA_OK)
        return;
    fprintf(stderr, "para: %s:%d: %s: %s: %s\n", file, line, what, para_status_text(status),
            para_status_detail());
    abort();
}

#endif
