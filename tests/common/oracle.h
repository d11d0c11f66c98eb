/* The definition of para_preduce in para/reduce.h, word for word, by recursion, on one thread. */
#ifndef PARA_TESTS_ORACLE_H
#define PARA_TESTS_ORACLE_H

#include <para/para.h>
#include <stdlib.h>
#include <string.h>

/* *acc = tree(blocks [first, first + n)) */
static inline int oracle_tree(const para_reduce *call, size_t block, size_t first, size_t n,
                              void *acc)
{
    if (n == 1) {
        const void *in[PARA_IN_MAX] = {0};
        for (int k = 0; k < PARA_IN_MAX; k++)
            if (call->in[k].data)
                in[k] = (const char *)call->in[k].data + first * block * call->in[k].element_bytes;
        const size_t rest = call->count - first * block;
        void *scratch = call->scratch_bytes
                            ? aligned_alloc(128, (call->scratch_bytes + 127) / 128 * 128)
                            : NULL;
        const para_chunk chunk = {.first = first * block,
                                  .count = rest < block ? rest : block,
                                  .in = in,
                                  .scratch = scratch};
        if (call->identity)
            memcpy(acc, call->identity, call->result_bytes);
        else
            memset(acc, 0, call->result_bytes);
        const int error = call->kernel(&chunk, acc, call->arg);
        free(scratch);
        return error;
    }
    size_t half = 1;
    while (half * 2 < n)
        half *= 2;
    void *right = malloc(call->result_bytes);
    int error = oracle_tree(call, block, first, half, acc);
    if (!error)
        error = oracle_tree(call, block, first + half, n - half, right);
    if (!error)
        call->combine(acc, right, call->arg);
    free(right);
    return error;
}

/* *result = *result (+) tree(all blocks); returns the kernel's error. */
static inline int oracle_reduce(const para_reduce *call, void *result)
{
    if (call->count == 0)
        return 0;
    const size_t block =
        call->block ? call->block : para_reduce_block(call->count, call->result_bytes);
    void *acc = malloc(call->result_bytes);
    const int error = oracle_tree(call, block, 0, (call->count - 1) / block + 1, acc);
    if (!error)
        call->combine(result, acc, call->arg);
    free(acc);
    return error;
}

#endif
