/* The orders in which locks are taken: "that one was locked there while this one, locked there, was
 * held". Without a circle of orders nobody can deadlock. */
#ifndef PARA_SYNC_ORDERS_H
#define PARA_SYNC_ORDERS_H

#include <stddef.h>

typedef struct para__source_place {
    const char *file;
    int line;
} para__source_place;

/* A lock, and where it was locked. */
typedef struct para__hold {
    const void *lock;
    para__source_place at;
    struct para__hold *earlier; /* of the same thread */
} para__hold;

typedef enum para__order_answer {
    PARA__ORDER_KEPT,     /* all were known, or are from now on */
    PARA__ORDER_INVERTED, /* orders that are known lead the other way round: none is added */
    PARA__ORDER_NO_MEMORY /* some are not known */
} para__order_answer;

/* Remembers that `then` was locked while its earlier ones were held, unless that makes a circle.
 * Then it tells which earlier lock is in the circle, and writes the orders the other way round into
 * ways, as text. Any thread. */
para__order_answer para__orders_add(const para__hold *then, const para__hold **with, char *ways,
                                    size_t bytes);

/* Forgets a lock that is destroyed: another one may get its address. */
void para__orders_forget(const void *lock);

/* The place's file without folders: a text has little room. */
const char *para__place_file(para__source_place at);

#endif
