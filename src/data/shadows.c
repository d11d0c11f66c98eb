#include "data/shadows.h"

#include "base/bounds.h"

#include <stdio.h>
#include <string.h>

/* ---- Copies ----------------------------------------------------------------------------- */

void para__shadows_describe(para__shadows *s, const para_in *in, const para_out *out,
                            const para__views *views)
{
    s->in_count = views->in_count;
    s->out_count = views->out_count;
    for (unsigned k = 0; k < s->in_count; k++) {
        const size_t element = in[k].element_bytes, step = views->view[k].bytes;
        s->in[k] = (para__likeness){.data = in[k].data,
                                    .element = element,
                                    .step = step,
                                    .pitch = para__min(element, step),
                                    .output = PARA_OUT_MAX};
    }
    for (unsigned o = 0; o < s->out_count; o++) {
        para__shade *const shade = &s->out[o];
        *shade = (para__shade){.data = out[o].data,
                               .element = out[o].element_bytes,
                               .step = views->view[s->in_count + o].bytes};
        shade->span = (s->count - 1) * shade->step + shade->element;
        for (unsigned k = 0; k < s->in_count; k++)
            if (s->in[k].data == shade->data) { /* no other overlap is allowed */
                s->in[k].output = o;
                shade->in_place = true;
            }
    }
}

static unsigned char *take_shadow(uintptr_t *at, const para__shade *shade)
{
    const uintptr_t place = (uintptr_t)shade->data % PARA__MARGIN;
    const uintptr_t begin = para__round_up(*at + PARA__MARGIN, PARA__MARGIN) + place;
    *at = para__round_up(begin + shade->span + PARA__MARGIN, PARA__LINE);
    return (unsigned char *)begin;
}

void para__shadows_place(para__shadows *s, uintptr_t *at)
{
    for (unsigned k = 0; k < s->in_count; k++) {
        para__likeness *const in = &s->in[k];
        const size_t bytes = (s->count - 1) * in->pitch + in->element;
        in->kept = in->output < PARA_OUT_MAX ? NULL : para__take_bytes(at, bytes);
    }
    for (unsigned o = 0; o < s->out_count && s->has_shadows; o++) {
        para__shade *const shade = &s->out[o];
        shade->kept = para__take_bytes(at, s->count * shade->element);
        shade->shadow[0] = take_shadow(at, shade);
        shade->shadow[1] = take_shadow(at, shade);
    }
}

void para__shadows_keep(const para__shadows *s)
{
    for (unsigned k = 0; k < s->in_count; k++) {
        const para__likeness *const in = &s->in[k];
        for (size_t i = 0; in->kept && i < s->count; i++)
            memcpy(in->kept + i * in->pitch, in->data + i * in->step, in->element);
    }
    for (unsigned o = 0; o < s->out_count && s->has_shadows; o++) {
        const para__shade *const shade = &s->out[o];
        for (size_t i = 0; i < s->count; i++)
            memcpy(shade->kept + i * shade->element, shade->data + i * shade->step, shade->element);
    }
}

/* What a byte of an element is in a shadow at first. */
static inline unsigned char before(const para__shade *shade, unsigned char kept)
{
    return shade->in_place ? kept : (unsigned char)~kept;
}

void para__shadows_prepare(para__shadows *s, size_t base)
{
    s->base = base;
    s->pieces = (s->count - 1) / base + 1;
    for (unsigned o = 0; o < s->out_count; o++)
        for (unsigned half = 0; half < 2; half++) {
            const para__shade *const shade = &s->out[o];
            unsigned char *const shadow = shade->shadow[half];
            memset(shadow - PARA__MARGIN, PARA__UNTOUCHED, shade->span + 2 * (size_t)PARA__MARGIN);
            for (size_t i = 0; i < s->count; i++)
                for (size_t b = 0; b < shade->element; b++)
                    shadow[i * shade->step + b] =
                        before(shade, shade->kept[i * shade->element + b]);
        }
}

size_t para__shadows_piece(const para__shadows *s, size_t k)
{
    if (k == 0 || k >= s->pieces)
        return k ? s->count : 0;
    const size_t shift = (size_t)(k * 0x9e3779b97f4a7c15u >> 33) % (s->base / 2 + 1);
    return para__min(k * s->base + shift, s->count); /* k * base < count */
}

/* ---- What is compared ------------------------------------------------------------------- */

bool para__is_untouched(const unsigned char *bytes, size_t count)
{
    for (size_t b = 0; b < count; b++)
        if (bytes[b] != PARA__UNTOUCHED)
            return false;
    return true;
}

void para__finding_of(para__finding *found, const char *what, const unsigned char *one,
                      const unsigned char *other, size_t bytes, size_t at)
{
    unsigned long long a = 0, b = 0;
    if (bytes > sizeof a) {
        snprintf(found->text, sizeof found->text,
                 "makes byte %zu of %s 0x%02x in one run, 0x%02x in another", at, what, one[at],
                 other[at]);
        return;
    }
    memcpy(&a, one, bytes); /* the first byte is the least, on all processors of para */
    memcpy(&b, other, bytes);
    snprintf(found->text, sizeof found->text, "makes %s 0x%0*llx in one run, 0x%0*llx in another",
             what, (int)(2 * bytes), a, (int)(2 * bytes), b);
}

#define FOUND(...) (snprintf(found->text, sizeof found->text, __VA_ARGS__), false)

bool para__shadows_inputs_are_kept(const para__shadows *s, para__finding *found)
{
    for (unsigned k = 0; k < s->in_count; k++) {
        const para__likeness *const in = &s->in[k];
        for (size_t i = 0; in->kept && i < s->count; i++)
            if (memcmp(in->kept + i * in->pitch, in->data + i * in->step, in->element) != 0)
                return FOUND("changes its input in[%u], at element %zu", k, i);
    }
    return true;
}

/* Elements [first, end) of a shadow, which nobody was to write. */
static bool are_left_alone(const para__shadows *s, unsigned o, unsigned half, size_t first,
                           size_t end, para__finding *found)
{
    const para__shade *const shade = &s->out[o];
    for (size_t i = first; i < end; i++)
        for (size_t b = 0; b < shade->element; b++)
            if (shade->shadow[half][i * shade->step + b] !=
                before(shade, shade->kept[i * shade->element + b]))
                return FOUND("writes out[%u] outside a chunk, at element %zu", o, i);
    return true;
}

/* What is around elements, and between them. */
static bool are_gaps_left_alone(const para__shadows *s, unsigned o, unsigned half,
                                para__finding *found)
{
    const para__shade *const shade = &s->out[o];
    const unsigned char *const shadow = shade->shadow[half];
    const size_t last = s->count - 1, gap = shade->step - shade->element;
    if (!para__is_untouched(shadow - PARA__MARGIN, PARA__MARGIN))
        return FOUND("writes out[%u] outside a chunk, before element 0", o);
    if (!para__is_untouched(shadow + shade->span, PARA__MARGIN))
        return FOUND("writes out[%u] outside a chunk, behind element %zu", o, last);
    for (size_t i = 0; i < last && gap; i++)
        if (!para__is_untouched(shadow + i * shade->step + shade->element, gap))
            return FOUND("writes out[%u] between elements %zu and %zu", o, i, i + 1);
    return true;
}

/* Elements [first, end), in the shadow of the piece that has them. */
static bool are_alike(const para__shadows *s, unsigned o, unsigned half, size_t first, size_t end,
                      para__finding *found)
{
    const para__shade *const shade = &s->out[o];
    for (size_t i = first; i < end; i++) {
        const unsigned char *const one = shade->data + i * shade->step;
        const unsigned char *const other = shade->shadow[half] + i * shade->step;
        if (memcmp(one, other, shade->element) == 0)
            continue;
        for (size_t b = 0; b < shade->element; b++) {
            const unsigned char kept = shade->kept[i * shade->element + b];
            char what[48];
            if (one[b] == other[b] || (one[b] == kept && other[b] == before(shade, kept)))
                continue;
            snprintf(what, sizeof what, "element %zu of out[%u]", i, o);
            para__finding_of(found, what, one, other, shade->element, b);
            return false;
        }
    }
    return true;
}

/* Writes outside chunks come first: they explain differences. */
bool para__shadows_agree(const para__shadows *s, para__finding *found)
{
    bool agree = true;
    for (unsigned o = 0; o < s->out_count; o++) {
        for (unsigned half = 0; half < 2 && agree; half++)
            agree = are_gaps_left_alone(s, o, half, found);
        for (size_t k = 0; k < s->pieces && agree; k++)
            agree = are_left_alone(s, o, (k & 1) ^ 1, para__shadows_piece(s, k),
                                   para__shadows_piece(s, k + 1), found);
    }
    for (unsigned o = 0; o < s->out_count; o++)
        for (size_t k = 0; k < s->pieces && agree; k++)
            agree = are_alike(s, o, k & 1, para__shadows_piece(s, k), para__shadows_piece(s, k + 1),
                              found);
    return agree;
}
