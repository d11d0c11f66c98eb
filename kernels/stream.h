/* Stores that go past the caches, for outputs that are too large for them and not read again soon:
 * a plain store first fetches the line that it is about to overwrite, which is a third of the
 * traffic of a copy. */
#ifndef PARA_KERNELS_STREAM_H
#define PARA_KERNELS_STREAM_H

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Bytes of a line; streamed to one at a time, aligned. */
#define PARA__STREAM_BYTES 64

static inline void para__stream_line(void *to, const void *from)
{
#if defined(__SSE2__)
    for (int i = 0; i < PARA__STREAM_BYTES / 16; i++)
        _mm_stream_si128((__m128i *)to + i, _mm_loadu_si128((const __m128i *)from + i));
#else
    memcpy(to, from, PARA__STREAM_BYTES);
#endif
}

/* Such stores are not in order with others: before a kernel returns, it has to wait for them
 * here. */
static inline void para__stream_end(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#endif
