/* The pool's own threads, as an executor. */
#ifndef PARA_POOL_THREADS_H
#define PARA_POOL_THREADS_H

#include "executor/executor.h"

extern const para__executor para__threads;

#endif
