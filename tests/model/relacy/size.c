/* In place of src/pool/size.c, here and in the simulator: no scenario resizes a pool, and it has no
 * atomics that order anything. */
#include "pool/size.h"

void para__pool_begin_adapting(para_pool *pool)
{
    (void)pool;
}

void para__pool_look(para_pool *pool)
{
    (void)pool;
}

void para__pool_sit_out(const para__worker *self)
{
    (void)self;
}

void para__pool_tell_left_out(para_pool *pool)
{
    (void)pool;
}
