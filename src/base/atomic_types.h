/* The types of atomics. Each is a struct of one member, so that to read one or to assign to one
 * plainly does not compile: the operations of atomic.h, or of what stands in for it in a model, are
 * the only way. Zeroed memory is a zero.
 *
 * The words of public structs are plain (include/para: mutex, semaphore, cancel), since these
 * headers are C++ as well; one function in the source of each gives the word its type here. */
#ifndef PARA_BASE_ATOMIC_TYPES_H
#define PARA_BASE_ATOMIC_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* An atomic of another type than those below; each use is a type of its own. */
#define PARA__ATOMIC_OF(type) \
    struct {                  \
        _Atomic(type) raw;    \
    }

typedef PARA__ATOMIC_OF(bool) para__atomic_bool;
typedef PARA__ATOMIC_OF(int) para__atomic_int;
typedef PARA__ATOMIC_OF(uint32_t) para__atomic_u32;
typedef PARA__ATOMIC_OF(uint64_t) para__atomic_u64;
typedef PARA__ATOMIC_OF(uintptr_t) para__atomic_uptr;

/* What one is made with. */
#define PARA__ATOMIC(value) \
    {                       \
        (value)             \
    }

#endif
