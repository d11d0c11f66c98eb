/* Trace contexts within the library. */
#ifndef PARA_BASE_CONTEXT_H
#define PARA_BASE_CONTEXT_H

#include <para/context.h>
#include <stdint.h>

/* Bytes of an id as a number whose hexadecimal digits are theirs. */
static inline uint64_t para__context_word(const unsigned char bytes[8])
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++)
        word = word << 8 | bytes[i];
    return word;
}

static inline bool para__context_is_set(const para_context *context)
{
    return (para__context_word(context->trace_id) | para__context_word(context->trace_id + 8)) != 0;
}

#endif
