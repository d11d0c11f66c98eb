/* Compiled by atomics.sh: with a FAULT above 0 it must not compile, for the reason that stands
 * beside it. */
#include "base/atomic.h"

typedef struct shared {
    para__atomic_u64 word;
    para__atomic_u32 half;
    para__atomic_bool flag;
    PARA__ATOMIC_OF(const char *) text;
} shared;

uint64_t use(shared *s, uint64_t *plain);

uint64_t use(shared *s, uint64_t *plain)
{
#if FAULT == 1
    s->word = 1; /* incompatible types */
#elif FAULT == 2
    *plain = s->word; /* incompatible types */
#elif FAULT == 3
    s->half++; /* wrong operand */
#elif FAULT == 4
    s->half |= 1; /* wrong operand */
#elif FAULT == 5
    if (s->flag) /* not a scalar */
        return 0;
#elif FAULT == 6
    return s->word; /* incompatible types */
#elif FAULT == 7
    s->text = ""; /* incompatible types */
#elif FAULT == 8
    if (s->half == 1) /* wrong operand */
        return 0;
#elif FAULT == 9
    para__store_relaxed(plain, 1); /* an operation on what is no atomic: no member */
#elif FAULT == 10
    para__store_release(E0, &s->word, 1); /* an edge that there is not: undeclared */
#endif
    para__store_relaxed(&s->half, 1);
    para__store_relaxed(&s->flag, true);
    para__store_release(E1, &s->text, "");
    return para__load_relaxed(&s->word) + *plain;
}
