/* A pool's table of names, and what is registered under each.
 *
 * A look for a name takes no lock: buckets of nodes in front of which new ones are put, and which
 * are never moved, nor freed before the table ends. So a name keeps its node for good; it may be
 * registered there anew.
 *
 * A node's word counts the requests that use what is registered, and says whether more may come:
 *
 *       register [E25]                unregister             last leaves [E25]
 *     0 ---------------> OPEN, n uses -----------> n uses -------------------> 0
 *
 * A request enters only while it is open, by a compare-and-swap of the whole word. So once it is
 * not open and has no uses, nobody reads what is registered, and it can be written anew. */
#ifndef PARA_TASK_NAMES_H
#define PARA_TASK_NAMES_H

#include "plan/breaker.h"
#include "sync/latch.h"
#include "sync/queue.h"

typedef struct para_named_ {
    struct para_named_ *next_in_bucket; /* published with the node [E24] */
    struct para_named_ *next;           /* in the order of registration: under the table's latch */
    char name[PARA_NAME_BYTES];         /* published likewise */
    para_entry entry;                   /* published by word [E25] */
    para__atomic_u32 word;
    para__latch latch; /* of breaker */
    para__breaker breaker;
    /* The breaker's period times 2, and 1 if it is closed; a value alone. */
    para__atomic_u32 closed;
} para__named;

enum { PARA__NAMED_OPEN = 1, PARA__NAMED_AWAITED = 2, PARA__NAMED_USE = 4 };

#ifndef PARA__NAME_BUCKETS /* models have one */
#define PARA__NAME_BUCKETS 64
#endif

typedef struct para__names {
    PARA__ATOMIC_OF(para__named *) bucket[PARA__NAME_BUCKETS]; /* [E24] the first of each */
    para__latch latch;                                         /* of all that is written here */
    para__named *first, *last;                                 /* by registration */
    unsigned count;
} para__names;

/* The name's node; NULL: it was never registered. */
para__named *para__names_find(para__names *names, const char *name);

/* That with the index; NULL: there is none. */
para__named *para__names_at(para__names *names, unsigned index);

/* Registers it. PARA_ERR_BUSY: it is already, or its former requests are not over; _ARGUMENT:
 * PARA_NAMES. */
para_status para__names_put(para__names *names, const char *name, const para_entry *entry);

/* A request begins to use what is registered; false: nothing is now. */
bool para__named_enter(para__named *named);

/* It does no more. The node's table may be gone after this. */
void para__named_leave(para__named *named);

/* After a change of the breaker: shows its period to those who do without the latch. */
static inline void para__named_publish_breaker(para__named *named)
{
    const bool is_closed = named->breaker.state == PARA_BREAKER_CLOSED;
    para__store_relaxed(&named->closed, named->breaker.period * 2 + is_closed); /* a value alone */
}

/* Lets no more requests in; whether it did until now. */
bool para__named_close(para__named *named);

/* Whether nothing is registered, nor used. */
bool para__named_is_free(para__named *named);

/* Of one that was closed: whether its requests are over. Something may be registered anew since. */
bool para__named_is_over(para__named *named);

/* Sleeps until then, or until a deadline. */
void para__named_await(para__named *named, uint64_t deadline_ns);

/* In a child, where no request of the parent's ends: nothing is in use. */
void para__names_forget(para__names *names);

/* Frees all. */
void para__names_free(para__names *names);

#endif
