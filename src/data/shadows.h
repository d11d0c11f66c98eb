/* Copies of a call's arrays, for its second run: what inputs and outputs held before the first one,
 * and shadows into which the second one writes. See purity.h. */
#ifndef PARA_DATA_SHADOWS_H
#define PARA_DATA_SHADOWS_H

#include "base/atomic.h"
#include "base/memory.h"
#include "data/views.h"

/* Around shadows, and in gaps between elements: what is written there is seen, and harms nothing
 * else. A shadow has its output's place within a page, for kernels that count on it. */
enum { PARA__MARGIN = 4096, PARA__UNTOUCHED = 0xff };

/* An output and its copies. */
typedef struct para__shade {
    const unsigned char *data; /* as the first run has left it */
    size_t element, step, span;
    bool in_place;            /* it is an input, too */
    unsigned char *kept;      /* its elements before the first run, without gaps */
    unsigned char *shadow[2]; /* where even and odd pieces write */
} para__shade;

/* An input and its copy. */
typedef struct para__likeness {
    const unsigned char *data;
    size_t element, step, pitch; /* pitch: from an element to the next in the copy */
    unsigned output;             /* of which it is the same view; else PARA_OUT_MAX */
    unsigned char *kept;         /* NULL then */
} para__likeness;

typedef struct para__shadows {
    size_t count; /* elements, at least 1 */
    unsigned in_count, out_count;
    bool has_shadows; /* else outputs are not looked at */
    para__likeness in[PARA_IN_MAX];
    para__shade out[PARA_OUT_MAX];
    size_t base, pieces; /* of the second run: about how many elements a piece has */
} para__shadows;

/* What is to be copied. */
void para__shadows_describe(para__shadows *s, const para_in *in, const para_out *out,
                            const para__views *views);

/* A run of bytes from *at on, which moves behind them; at 0 sizes alone are added up. */
static inline unsigned char *para__take_bytes(uintptr_t *at, size_t bytes)
{
    unsigned char *const taken = (unsigned char *)*at;
    *at += para__round_up(bytes, PARA__LINE);
    return taken;
}

/* Places the copies from *at on. They may take PARA__MARGIN bytes more for each shadow than from
 * another address. */
void para__shadows_place(para__shadows *s, uintptr_t *at);

/* Copies what the arrays hold. */
void para__shadows_keep(const para__shadows *s);

/* Makes the shadows ready for a run in pieces of about so many elements; count: in one. */
void para__shadows_prepare(para__shadows *s, size_t base);

/* Where piece k begins. Borders are irregular: pieces have at most base + base / 2 elements, and
 * the last one may have none. */
size_t para__shadows_piece(const para__shadows *s, size_t k);

/* What a comparison has found, in words. */
typedef struct para__finding {
    char text[128];
} para__finding;

bool para__is_untouched(const unsigned char *bytes, size_t count);

/* The bytes of something in two runs, of which byte `at` is the first that differs. */
void para__finding_of(para__finding *found, const char *what, const unsigned char *one,
                      const unsigned char *other, size_t bytes, size_t at);

/* Whether inputs are as they were; and whether the second run has written what the first one has,
 * where it should. If not, says what is wrong. */
bool para__shadows_inputs_are_kept(const para__shadows *s, para__finding *found);
bool para__shadows_agree(const para__shadows *s, para__finding *found);

#endif
