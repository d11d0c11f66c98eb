/* Minimum, maximum, and the nearest value within bounds. The numbers have one type, or types that C
 * converts to one; signed with unsigned gives unsigned. Arguments are evaluated once. */
#ifndef PARA_BASE_BOUNDS_H
#define PARA_BASE_BOUNDS_H

#define para__min(a, b) PARA__OF_TYPE(min, (a) + (b))(a, b)
#define para__max(a, b) PARA__OF_TYPE(max, (a) + (b))(a, b)

/* value, but not below low nor above high; low <= high. */
#define para__clamp(value, low, high) para__min(para__max(value, low), high)

/* clang-format off */
#define PARA__OF_TYPE(name, sum)            \
    _Generic((sum),                         \
        int: para__##name##_int,            \
        long: para__##name##_long,          \
        unsigned: para__##name##_unsigned,  \
        unsigned long: para__##name##_size, \
        double: para__##name##_double)
/* clang-format on */

#define PARA__BOUNDS(name, type)                        \
    static inline type para__min_##name(type a, type b) \
    {                                                   \
        return a < b ? a : b;                           \
    }                                                   \
    static inline type para__max_##name(type a, type b) \
    {                                                   \
        return a > b ? a : b;                           \
    }
PARA__BOUNDS(int, int)
PARA__BOUNDS(long, long)
PARA__BOUNDS(unsigned, unsigned)
PARA__BOUNDS(size, unsigned long)
PARA__BOUNDS(double, double)
#undef PARA__BOUNDS

#endif
