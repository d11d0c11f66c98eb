/* The version, how symbols are exported, and helpers that both languages read. */
#ifndef PARA_VERSION_H
#define PARA_VERSION_H

#ifndef __LP64__
#error "para needs a 64-bit system: pointers and long of 64 bits"
#endif

#define PARA_VERSION_MAJOR  0
#define PARA_VERSION_MINOR  1
#define PARA_VERSION_PATCH  0
#define PARA_VERSION_STRING "0.1.0"

/* A static para hides its names: a plug-in that is linked with it does not export them, so several
 * copies of para in one process do not interfere. */
#ifdef PARA_STATIC_
#define PARA_API __attribute__((visibility("hidden")))
#else
#define PARA_API __attribute__((visibility("default")))
#endif

/* A result that has to be looked at: the compiler warns where it is not. To ignore one on purpose,
 * assign it to a variable; in C++ a cast to void does as well. */
#ifdef __cplusplus
#define PARA_NODISCARD_ [[nodiscard]]
#else
#define PARA_NODISCARD_ __attribute__((warn_unused_result))
#endif

/* Names that end in an underscore are the headers' own. C++ reserves two underscores in a row. */

/* A cast, a null pointer and a structure's zeros without warnings from any compiler. */
#ifdef __cplusplus
#define PARA_CAST_(type, value) static_cast<type>(value)
#define PARA_NULL_              nullptr
#define PARA_ZERO_              /* the initialiser of a structure of zeros */
#else
#define PARA_CAST_(type, value) ((type)(value))
#define PARA_NULL_              ((void *)0)
#define PARA_ZERO_              0
#endif

/* A loop of one round, whose variable releases when it goes out of scope. The name is made before
 * this macro, once for all its places. */
#define PARA_WITH_(type, hold, release, begin) \
    for (type hold __attribute__((cleanup(release))) = begin; hold.run; hold.run = 0)
#define PARA_NAME_(a, b)        PARA_NAME_PASTED_(a, b)
#define PARA_NAME_PASTED_(a, b) a##b

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded, as "major.minor.patch". Static storage. Any thread. */
PARA_API const char *para_version(void);

#ifdef __cplusplus
}
#endif
#endif
