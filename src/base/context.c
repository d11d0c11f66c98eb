#include "base/context.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* version, trace-id, parent-id and flags, with a dash before each but the first */
enum { VERSION_AT = 0, TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

static bool read_hex(const char *digits, unsigned char *bytes, size_t count)
{
    static const char known[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        const char *const high = memchr(known, digits[2 * i], 16);
        const char *const low = memchr(known, digits[2 * i + 1], 16);
        if (!high || !low)
            return false;
        bytes[i] = (unsigned char)((high - known) << 4 | (low - known));
    }
    return true;
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
    unsigned char any = 0;
    for (size_t i = 0; i < count; i++)
        any |= bytes[i];
    return any == 0;
}

/* Why a text is none; NULL: it is one. */
static const char *read_context(const char *text, para_context *context)
{
    unsigned char version;
    if (strnlen(text, LENGTH) < LENGTH)
        return "it is too short";
    if (text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
        return "a dash is missing";
    if (!read_hex(text + VERSION_AT, &version, 1) ||
        !read_hex(text + TRACE_AT, context->trace_id, sizeof context->trace_id) ||
        !read_hex(text + SPAN_AT, context->span_id, sizeof context->span_id) ||
        !read_hex(text + FLAGS_AT, &context->flags, 1))
        return "a digit is none of 0-9 and a-f";
    if (version == 0xff)
        return "version ff";
    if (text[LENGTH] != '\0' && (version == 0 || text[LENGTH] != '-'))
        return "it is too long";
    if (is_zero(context->trace_id, sizeof context->trace_id) ||
        is_zero(context->span_id, sizeof context->span_id))
        return "an id of zeros";
    return NULL;
}

para_status para_context_parse(const char *traceparent, para_context *context)
{
    para_context found = {{0}, {0}, 0};
    if (!traceparent || !context)
        return para__fail(PARA_ERR_ARGUMENT, "%s", traceparent ? "no context" : "no traceparent");
    const char *const why = read_context(traceparent, &found);
    if (why)
        return para__fail(PARA_ERR_ARGUMENT, "traceparent %.80s: %s", traceparent, why);
    found.flags &= PARA_CONTEXT_SAMPLED | PARA_CONTEXT_RANDOM;
    *context = found;
    return PARA_OK;
}

void para_context_write(const para_context *context, char traceparent[PARA_CONTEXT_BYTES])
{
    if (!context || !traceparent)
        return;
    snprintf(traceparent, PARA_CONTEXT_BYTES, "00-%016jx%016jx-%016jx-%02x",
             (uintmax_t)para__context_word(context->trace_id),
             (uintmax_t)para__context_word(context->trace_id + 8),
             (uintmax_t)para__context_word(context->span_id), context->flags);
}
