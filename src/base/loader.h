/* Whether the calling thread is in the middle of loading or unloading a library. */
#ifndef PARA_BASE_LOADER_H
#define PARA_BASE_LOADER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the thread runs a constructor or destructor of a library within dlopen or dlclose, and so
 * holds the loader's lock, which another thread may need: to destroy a thread-local variable of C++
 * at its end, to bind a function, in dlsym. Who waits for such a thread then waits for ever.
 *
 * Found by walking up the stack, some microseconds; an answer of no is remembered for where on the
 * stack it was asked and for what, an address. Any thread. */
bool para__in_loader(uintptr_t for_what);

#endif
