/* Assertions of what the library's own code relies on. They are on in debug and sanitizer builds
 * (PARA__ASSERTIONS, cmake/ParaTargets.cmake) and end the program with a line that says where. In
 * other builds the condition is compiled but not evaluated, and costs nothing. */
#ifndef PARA_BASE_ASSERT_H
#define PARA_BASE_ASSERT_H

#include <stdio.h>
#include <stdlib.h>

#ifdef PARA__ASSERTIONS
enum { PARA__ASSERTS = 1 };
__attribute__((noreturn, cold)) static inline void para__assert_failed(const char *condition,
                                                                       const char *file, int line)
{
    fprintf(stderr, "para: %s:%d: not so: %s\n", file, line, condition);
    abort();
}
#define PARA__ASSERT(condition) \
    ((condition) ? (void)0 : para__assert_failed(#condition, __FILE__, __LINE__))
#else
enum { PARA__ASSERTS = 0 }; /* for what is computed only to be asserted */
#define PARA__ASSERT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

#endif
