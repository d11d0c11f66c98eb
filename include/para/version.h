/* Version of the header and of the library, how symbols are exported, and what both languages read. */
#ifndef PARA_VERSION_H
#define PARA_VERSION_H

#ifndef __LP64__
#error "para needs a 64-bit system: pointers and long of 64 bits"
#endif

#define PARA_VERSION_MAJOR  0
#define PARA_VERSION_MINOR  1
#define PARA_VERSION_PATCH  0
#define PARA_VERSION_STRING "0.1.0"

/* In para's own static library names are hidden: a plug-in that is linked with it does not export them,
 * and several copies of para in one process do not get in each other's way. */
#ifdef PARA__STATIC
#define PARA_API __attribute__((visibility("hidden")))
#else
#define PARA_API __attribute__((visibility("default")))
#endif

/* A cast without complaints of -Wold-style-cast. */
#ifdef __cplusplus
#define PARA__CAST(type, value) static_cast<type>(value)
#else
#define PARA__CAST(type, value) ((type)(value))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded, as "major.minor.patch". Static storage. Any thread. */
PARA_API const char *para_version(void);

#ifdef __cplusplus
}
#endif
#endif
