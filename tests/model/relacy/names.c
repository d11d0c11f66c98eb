#include "names.h"

#include "task/names.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 8 };

static para__names names;
static para__named nodes[NODES];
static unsigned node_count;

void names_make(void)
{
    memset(&names, 0, sizeof names);
    memset(nodes, 0, sizeof nodes);
    node_count = 0;
    (void)para__load_relaxed(&names.latch.state);
    (void)para__load_relaxed(&names.bucket[0]);
    for (unsigned i = 0; i < NODES; i++) {
        para__bucket *bucket = para__bucket_lock(&nodes[i]);
        bucket->first = bucket->last = NULL;
        para__bucket_unlock(bucket);
    }
}

void *names_alloc(size_t bytes)
{
    if (bytes != sizeof nodes[0])
        return NULL;
    if (node_count == NODES)
        abort();
    para__named *const node = &nodes[node_count++];
    para__store_relaxed(&node->word, 0);
    model_watch(node);
    return node;
}

/* In place of plan/breaker.c: called where an entry is written. */
para_breaker para__breaker_complete(para_breaker config)
{
    names_dispose();
    return config;
}

para__breaker para__breaker_renew(const para__breaker *former)
{
    return *former;
}

void names_dispose(void)
{
    model_watch(&names);
}

bool names_register(void)
{
    const para_entry entry = PARA_ENTRY_INIT;
    return para__names_put(&names, "name", &entry) == PARA_OK;
}

static para__named *find(void)
{
    para__named *const named = para__names_find(&names, "name");
    if (named)
        model_see(named);
    return named;
}

bool names_enter(void)
{
    para__named *const named = find();
    if (!named || !para__named_enter(named))
        return false;
    model_see(&names);
    return true;
}

void names_leave(void)
{
    model_see(&names);
    para__named_leave(find());
}

bool names_close(void)
{
    para__named *const named = find();
    return named && para__named_close(named);
}

void names_await(void)
{
    para__named *const named = find();
    while (named && !para__named_is_free(named))
        para__named_await(named, UINT64_MAX);
}
