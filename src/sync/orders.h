/* The orders in which locks are taken: "that one was locked there while this one, locked there, was
 * held". As long as they have no circle nobody can deadlock over them. */
#ifndef PARA_SYNC_ORDERS_H
#define PARA_SYNC_ORDERS_H

#include <stddef.h>

typedef struct para__place {
    const char *file;
    int line;
} para__place;

/* A lock, and where it was locked. */
typedef struct para__hold {
    const void *lock;
    para__place at;
} para__hold;

typedef enum para__order_answer {
    PARA__ORDER_KEPT,     /* it was known, or is from now on */
    PARA__ORDER_INVERTED, /* orders that are known lead the other way round */
    PARA__ORDER_NO_MEMORY /* it is neither checked nor known */
} para__order_answer;

/* Remembers that then was locked while first was held, unless that makes a circle: then writes
 * those orders that are the other way round into ways, as text. Any thread. */
para__order_answer para__orders_add(para__hold first, para__hold then, char *ways, size_t bytes);

/* Forgets all that is known of a lock: it is gone, and its address may become another's. */
void para__orders_forget(const void *lock);

/* The place's file without folders: a text has little room. */
const char *para__place_file(para__place at);

#endif
