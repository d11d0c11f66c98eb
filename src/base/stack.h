/* What the calling thread's stack tells: who has called. */
#ifndef PARA_BASE_STACK_H
#define PARA_BASE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the thread runs a constructor or destructor of a library within dlopen or dlclose, and so
 * holds the loader's lock, which another thread may need: to destroy a thread-local variable of C++
 * at its end, to bind a function, in dlsym. Who waits for such a thread then waits for ever.
 *
 * Found by walking up the stack, some microseconds; an answer of no is remembered for where on the
 * stack it was asked and for what, an address. Any thread. */
bool para__in_loader(uintptr_t for_what);

/* Whether the function that was entered with `frame` as the address of its frame has been left by a
 * jump: what is there now is another's. False also where the stack does not tell. Costs as much; an
 * answer of no is remembered. */
bool para__is_left(uintptr_t frame, void (*function)(void));

/* Whether both addresses lie on the stack that the calling thread was started with: not on one that
 * the program has made for a coroutine or for signals. Takes microseconds. */
bool para__on_own_stack(uintptr_t a, uintptr_t b);

#endif
