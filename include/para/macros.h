/* Lists of types and names, for the macros of loop.h and reduction.h. Not for programs. */
#ifndef PARA_MACROS_H
#define PARA_MACROS_H

#include <para/kernel.h>
#include <para/version.h>
#include <stddef.h>

/* When an argument is wrong, gcc shows each macro that it went through, but for a system's. With
 * this a mistake takes a third of the lines. */
#pragma GCC system_header

/* A function that a macro defines, and whose status has to be looked at. */
#define PARA_CALL_ PARA_NODISCARD_ __attribute__((unused)) static inline

#define PARA_JOIN_(a, b)        PARA_JOIN_PASTED_(a, b)
#define PARA_JOIN_PASTED_(a, b) a##b
#define PARA_FIRST_(...)        PARA_FIRST_OF_(__VA_ARGS__, ~)
#define PARA_FIRST_OF_(x, ...)  x

/* The number of arguments, from 1 to 21. */
#define PARA_COUNT_(...)                                                                         \
    PARA_COUNT_PICK_(__VA_ARGS__, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, \
                     4, 3, 2, 1, ~)
#define PARA_COUNT_PICK_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, \
                         a17, a18, a19, a20, a21, n, ...)                                       \
    n

/* PARA_PAIRS_(x, type, name, type, name, ...): the number of pairs after x, up to 16. */
#define PARA_PAIRS_(...)                                                                         \
    PARA_PAIRS_PICK_(__VA_ARGS__, 16, ODD, 15, ODD, 14, ODD, 13, ODD, 12, ODD, 11, ODD, 10, ODD, \
                     9, ODD, 8, ODD, 7, ODD, 6, ODD, 5, ODD, 4, ODD, 3, ODD, 2, ODD, 1, ODD, 0, ~)
#define PARA_PAIRS_PICK_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, \
                         a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30,  \
                         a31, a32, a33, n, ...)                                                 \
    n

/* PARA_EACH_(number of pairs, M, name, x, pairs): M(name, k, type, parameter) for each pair, where
 * k counts down to 1. */
#define PARA_EACH_(k, M, name, ...) PARA_JOIN_(PARA_EACH_, k)(M, name, __VA_ARGS__)
#define PARA_EACH_0(M, name, x)
#define PARA_EACH_1(M, name, x, t, p)       M(name, 1, t, p)
#define PARA_EACH_2(M, name, x, t, p, ...)  M(name, 2, t, p) PARA_EACH_1(M, name, x, __VA_ARGS__)
#define PARA_EACH_3(M, name, x, t, p, ...)  M(name, 3, t, p) PARA_EACH_2(M, name, x, __VA_ARGS__)
#define PARA_EACH_4(M, name, x, t, p, ...)  M(name, 4, t, p) PARA_EACH_3(M, name, x, __VA_ARGS__)
#define PARA_EACH_5(M, name, x, t, p, ...)  M(name, 5, t, p) PARA_EACH_4(M, name, x, __VA_ARGS__)
#define PARA_EACH_6(M, name, x, t, p, ...)  M(name, 6, t, p) PARA_EACH_5(M, name, x, __VA_ARGS__)
#define PARA_EACH_7(M, name, x, t, p, ...)  M(name, 7, t, p) PARA_EACH_6(M, name, x, __VA_ARGS__)
#define PARA_EACH_8(M, name, x, t, p, ...)  M(name, 8, t, p) PARA_EACH_7(M, name, x, __VA_ARGS__)
#define PARA_EACH_9(M, name, x, t, p, ...)  M(name, 9, t, p) PARA_EACH_8(M, name, x, __VA_ARGS__)
#define PARA_EACH_10(M, name, x, t, p, ...) M(name, 10, t, p) PARA_EACH_9(M, name, x, __VA_ARGS__)
#define PARA_EACH_11(M, name, x, t, p, ...) M(name, 11, t, p) PARA_EACH_10(M, name, x, __VA_ARGS__)
#define PARA_EACH_12(M, name, x, t, p, ...) M(name, 12, t, p) PARA_EACH_11(M, name, x, __VA_ARGS__)
#define PARA_EACH_13(M, name, x, t, p, ...) M(name, 13, t, p) PARA_EACH_12(M, name, x, __VA_ARGS__)
#define PARA_EACH_14(M, name, x, t, p, ...) M(name, 14, t, p) PARA_EACH_13(M, name, x, __VA_ARGS__)
#define PARA_EACH_15(M, name, x, t, p, ...) M(name, 15, t, p) PARA_EACH_14(M, name, x, __VA_ARGS__)
#define PARA_EACH_16(M, name, x, t, p, ...) M(name, 16, t, p) PARA_EACH_15(M, name, x, __VA_ARGS__)
/* An identity in braces is as many arguments as it has values: to macros braces mean nothing. */
#define PARA_EACH_ODD(...) \
    PARA_ERROR_a_parameter_lacks_its_type_or_its_name_or_an_identity_has_commas_

/* What M may be. __typeof__ takes types whose name has a place in the middle, as double (*)[9]. */
#define PARA_MEMBER_(name, k, t, p)    __typeof__(t) p;
#define PARA_PARAMETER_(name, k, t, p) , __typeof__(t) p
#define PARA_ARGUMENT_(name, k, t, p)  , p
#define PARA_FIELD_(name, k, t, p)     , para_p_.p
#define PARA_FIELD_AT_(name, k, t, p)  , para_p_->p
#define PARA_TYPE_(name, k, t, p)      typedef __typeof__(t) name##_type_##k##_;

/* How a body begins: its indices, or accumulator and index, then the parameters. */
#define PARA_INDEX_(i)  const size_t i
#define PARA_OPEN_(...) __VA_ARGS__
#define PARA_BODY_HEAD_(result, name, n, heads, ...) \
    static inline result name##_body_(               \
        PARA_OPEN_ heads PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))

/* The structure of the arguments, after a member of para's own, their types, a list of them, and
 * the body. */
#define PARA_BODY_(result, name, n, own, heads, ...)                                            \
    struct name##_arguments_ {                                                                  \
        own;                                                                                    \
        PARA_EACH_(n, PARA_MEMBER_, name, __VA_ARGS__)                                          \
    };                                                                                          \
    PARA_EACH_(n, PARA_TYPE_, name, __VA_ARGS__)                                                \
    PARA_PLACES_(name, n, own, __VA_ARGS__)                                                     \
    __attribute__((unused)) static const para_parameter_ name##_list_[] = {                     \
        PARA_EACH_(n, PARA_LISTED_, name,                                                       \
                   __VA_ARGS__){PARA_NULL_, sizeof(struct name##_arguments_), PARA_IS_VALUE_}}; \
    PARA_BODY_HEAD_(result, name, n, heads, __VA_ARGS__);
#define PARA_LISTED_(name, k, t, p) {#p, PARA_PLACE_OF_(name, p), PARA_KIND_(name##_type_##k##_)},
#define PARA_ARGUMENTS_(name)       *PARA_CAST_(const struct name##_arguments_ *, para_arg_)
#define PARA_COUNT_TYPE_(name, k)   typedef size_t PARA_JOIN_(name##_type_, PARA_JOIN_(k, _));

/* k + 1, for the typedefs of counts, which come before the parameters. */
#define PARA_NEXT_0   1
#define PARA_NEXT_1   2
#define PARA_NEXT_2   3
#define PARA_NEXT_3   4
#define PARA_NEXT_4   5
#define PARA_NEXT_5   6
#define PARA_NEXT_6   7
#define PARA_NEXT_7   8
#define PARA_NEXT_8   9
#define PARA_NEXT_9   10
#define PARA_NEXT_10  11
#define PARA_NEXT_11  12
#define PARA_NEXT_12  13
#define PARA_NEXT_13  14
#define PARA_NEXT_14  15
#define PARA_NEXT_15  16
#define PARA_NEXT_16  17
#define PARA_NEXT_17  18
#define PARA_NEXT_18  19
#define PARA_NEXT_(k) PARA_JOIN_(PARA_NEXT_, k)

/* PARA_FIT_(name, x, y, ...): nothing, if each argument fits the parameter in its place. In C this
 * makes an error of a pointer to another type, of which compilers only warn; C++ needs no help. It
 * stands within the call's first argument, not before the call: gcc notes an ignored status at the
 * first token of the expression, and says nothing if that is a system header's. */
#ifdef __cplusplus
#define PARA_FIT_(name, ...) PARA_CAST_(void, 0)
#define PARA_FITS_(type, x)  PARA_CAST_(void, 0)
#else
#define PARA_FIT_(name, ...)      PARA_JOIN_(PARA_FIT_, PARA_COUNT_(__VA_ARGS__))(name, __VA_ARGS__)
#define PARA_FIT_1(name, x)       PARA_FITS_(name##_type_1_, x)
#define PARA_FIT_2(name, x, ...)  PARA_FITS_(name##_type_2_, x), PARA_FIT_1(name, __VA_ARGS__)
#define PARA_FIT_3(name, x, ...)  PARA_FITS_(name##_type_3_, x), PARA_FIT_2(name, __VA_ARGS__)
#define PARA_FIT_4(name, x, ...)  PARA_FITS_(name##_type_4_, x), PARA_FIT_3(name, __VA_ARGS__)
#define PARA_FIT_5(name, x, ...)  PARA_FITS_(name##_type_5_, x), PARA_FIT_4(name, __VA_ARGS__)
#define PARA_FIT_6(name, x, ...)  PARA_FITS_(name##_type_6_, x), PARA_FIT_5(name, __VA_ARGS__)
#define PARA_FIT_7(name, x, ...)  PARA_FITS_(name##_type_7_, x), PARA_FIT_6(name, __VA_ARGS__)
#define PARA_FIT_8(name, x, ...)  PARA_FITS_(name##_type_8_, x), PARA_FIT_7(name, __VA_ARGS__)
#define PARA_FIT_9(name, x, ...)  PARA_FITS_(name##_type_9_, x), PARA_FIT_8(name, __VA_ARGS__)
#define PARA_FIT_10(name, x, ...) PARA_FITS_(name##_type_10_, x), PARA_FIT_9(name, __VA_ARGS__)
#define PARA_FIT_11(name, x, ...) PARA_FITS_(name##_type_11_, x), PARA_FIT_10(name, __VA_ARGS__)
#define PARA_FIT_12(name, x, ...) PARA_FITS_(name##_type_12_, x), PARA_FIT_11(name, __VA_ARGS__)
#define PARA_FIT_13(name, x, ...) PARA_FITS_(name##_type_13_, x), PARA_FIT_12(name, __VA_ARGS__)
#define PARA_FIT_14(name, x, ...) PARA_FITS_(name##_type_14_, x), PARA_FIT_13(name, __VA_ARGS__)
#define PARA_FIT_15(name, x, ...) PARA_FITS_(name##_type_15_, x), PARA_FIT_14(name, __VA_ARGS__)
#define PARA_FIT_16(name, x, ...) PARA_FITS_(name##_type_16_, x), PARA_FIT_15(name, __VA_ARGS__)
#define PARA_FIT_17(name, x, ...) PARA_FITS_(name##_type_17_, x), PARA_FIT_16(name, __VA_ARGS__)
#define PARA_FIT_18(name, x, ...) PARA_FITS_(name##_type_18_, x), PARA_FIT_17(name, __VA_ARGS__)
#define PARA_FIT_19(name, x, ...) PARA_FITS_(name##_type_19_, x), PARA_FIT_18(name, __VA_ARGS__)
#define PARA_FITS_(type, x)                                                          \
    (void)sizeof(struct {                                                            \
        int the_argument_has_another_type_than_the_parameter                         \
            : __builtin_classify_type(*(type *)0) != 5 || /* 5: a pointer */         \
                __builtin_types_compatible_p(__typeof__(1 ? (x) : *(type *)0), type) \
            ? 1                                                                      \
            : -1;                                                                    \
    })
#endif

/* PARA_MAY_WRITE_(name, k, t, p): "| 1" for a parameter through which a body may write: a pointer
 * to what is not const, a structure, a reference. Such a call is not run a second time: see once
 * in para_map. */
#define PARA_MAY_WRITE_(name, k, t, p) | PARA_WRITES_(name##_type_##k##_)
#ifdef __cplusplus
template <class T> char (&para_pointee_(T *))[2];
template <class T> char para_pointee_(const T *);
char para_pointee_(...);
template <class T> T para_made_();
template <class T> struct para_holds_ {
    enum { yes = __is_class(T) || __is_union(T) };
};
template <class T> struct para_holds_<T &> {
    enum { yes = 1 };
};
template <class T> struct para_holds_<const T &> {
    enum { yes = 0 };
};
#define PARA_WRITES_(type) \
    (para_holds_<type>::yes || sizeof(para_pointee_(para_made_<type>())) != 1)

/* What a structure holds of a parameter: of a reference, a pointer. */
template <class T> struct para_held_ {
    typedef T type;
    enum { kind = __is_trivially_constructible(T, const T &) ? PARA_IS_VALUE_ : PARA_IS_OBJECT_ };
};
template <class T> struct para_held_<T &> {
    typedef T *type;
    enum { kind = PARA_IS_ADDRESS_ };
};
template <class T> char (&para_address_(T *))[2];
char para_address_(...);
#define PARA_KIND_(type)                            \
    (sizeof(para_address_(para_made_<type>())) != 1 \
         ? PARA_CAST_(unsigned, PARA_IS_ADDRESS_)   \
         : PARA_CAST_(unsigned, para_held_<type>::kind))

/* A structure laid out as that of the arguments, in which C++ tells places: of a class with
 * references it does not. */
#define PARA_PLACES_(name, n, own, ...)                                              \
    struct name##_places_ {                                                          \
        own;                                                                         \
        PARA_EACH_(n, PARA_PLACE_, name, __VA_ARGS__)                                \
    };                                                                               \
    static_assert(sizeof(struct name##_places_) == sizeof(struct name##_arguments_), \
                  "each argument has its place");
#define PARA_PLACE_(name, k, t, p)                              \
    alignas(para_held_<name##_type_##k##_>::type) unsigned char \
        p[sizeof(para_held_<name##_type_##k##_>::type)];
#define PARA_PLACE_OF_(name, p) offsetof(struct name##_places_, p)
#else
#define PARA_PLACES_(name, n, own, ...)
#define PARA_PLACE_OF_(name, p) offsetof(struct name##_arguments_, p)
#define PARA_KIND_(type) \
    (__builtin_classify_type(*(type *)0) == 5 ? PARA_IS_ADDRESS_ : PARA_IS_VALUE_)

/* 5: a pointer, 12 and 13: a structure and a union. Beside a pointer to void, a pointer becomes one
 * to void that is const if it was; also a pointer to a function, of which clang would warn. */
#ifdef __clang__
#define PARA_BESIDE_VOID_(p)                                                                    \
    _Pragma("clang diagnostic push") _Pragma(                                                   \
        "clang diagnostic ignored \"-Wpointer-type-mismatch\"") __typeof__(1 ? p : *(void **)0) \
        _Pragma("clang diagnostic pop")
#else
#define PARA_BESIDE_VOID_(p) __typeof__(1 ? p : *(void **)0)
#endif
#define PARA_WRITES_(type)                             \
    (__builtin_classify_type(*(type *)0) - 12U < 2U || \
     !__builtin_types_compatible_p(PARA_BESIDE_VOID_(PARA_POINTER_(type)), const void *))
#define PARA_POINTER_(type) \
    __builtin_choose_expr(__builtin_classify_type(*(type *)0) == 5, *(type *)0, *(const void **)0)
#endif

#endif
