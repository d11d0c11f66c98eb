/* Version of the header and of the library, and how symbols are exported. */
#ifndef PARA_VERSION_H
#define PARA_VERSION_H

#define PARA_VERSION_MAJOR  0
#define PARA_VERSION_MINOR  1
#define PARA_VERSION_PATCH  0
#define PARA_VERSION_STRING "0.1.0"

#define PARA_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded, as "major.minor.patch". Static storage. Any thread. */
PARA_API const char *para_version(void);

#ifdef __cplusplus
}
#endif
#endif
