/* What the calling thread's stack tells: whether the loader has called, and whether a frame was
 * left. */
#ifndef PARA_BASE_STACK_H
#define PARA_BASE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the thread runs a constructor or destructor of a library within dlopen or dlclose. Then
 * it holds the loader's lock, and another thread may need that lock: to destroy a thread-local
 * variable of C++ at its end, to bind a function, in dlsym. To wait for such a thread would then
 * take for ever.
 *
 * Found by walking up the stack, which takes some microseconds. An answer of no is remembered for
 * the place on the stack and for for_what, an address. Any thread. */
bool para__in_loader(uintptr_t for_what);

/* Whether the function that was entered with its frame at `frame` was left by a jump, so that
 * another function's frame is there now. False also if the stack does not show it. Costs as much;
 * an answer of no is remembered. */
bool para__is_left(uintptr_t frame, void (*function)(void));

/* Whether both addresses lie on the stack that the calling thread was started with, and not on one
 * that the program has made for a coroutine or for signals. Takes microseconds. */
bool para__on_own_stack(uintptr_t a, uintptr_t b);

#endif
