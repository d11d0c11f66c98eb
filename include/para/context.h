/* Trace contexts: what a request is a part of, as W3C's traceparent says it, so that the spans that
 * OpenTelemetry collects around a program's tasks join up.
 *
 *     para_context of;
 *     const bool has = para_context_parse(header, &of) == PARA_OK;
 *     para_task task = {.run = serve, .arg = r, .context = has ? &of : NULL};
 *     para_must(para_submit(pool, &task));
 *     ...
 * and in serve, or what it calls on its thread:
 *     if (para_context_here(&of)) para_context_write(&of, header);
 *
 * Tasks that a task submits have its context too, unless they have one of their own. In a trace a
 * task's context stands beside it. https://www.w3.org/TR/trace-context/ */
#ifndef PARA_CONTEXT_H
#define PARA_CONTEXT_H

#include <para/must.h>
#include <para/status.h>

#include <stdbool.h>

enum {
    PARA_CONTEXT_BYTES = 56,  /* of a traceparent, with the zero byte at its end */
    PARA_CONTEXT_SAMPLED = 1, /* flags: spans are recorded; */
    PARA_CONTEXT_RANDOM = 2   /* the last 7 bytes of trace_id are random */
};

/* All zero: none. */
typedef struct para_context {
    unsigned char trace_id[16]; /* of the whole */
    unsigned char span_id[8];   /* of the part that this belongs to */
    unsigned char flags;        /* PARA_CONTEXT_SAMPLED, _RANDOM */
} para_context;

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01". Of a later
 * version what this one has; flags that are not known are 0. Any thread.
 * Errors: PARA_ERR_ARGUMENT: a NULL, or the text is none: another length, other separators, digits
 * other than 0-9 and a-f, version ff, an id of zeros. *context is then untouched, and the standard
 * says to begin a trace of one's own. */
PARA_NODISCARD_ PARA_API para_status para_context_parse(const char *traceparent,
                                                        para_context *context);

/* Writes it, in version 00; nothing if one of them is NULL. Any thread. */
PARA_API void para_context_write(const para_context *context, char traceparent[PARA_CONTEXT_BYTES]);

/* That of the task that the calling thread runs, the innermost; also in its `done`. False: it runs
 * none, or one without a context; *context is then untouched. context NULL: it is only asked
 * whether there is one. */
PARA_API bool para_context_here(para_context *context);

#ifdef __cplusplus
}
#endif
#endif
