/* The ledger: what each kernel's calls have taken, for those who ask for it.
 *
 * Nothing is counted unless it is asked for. Then each call that has run is added to its kernel's
 * entry, under one mutex. Entries are told apart by address and .options.site, whatever the pool;
 * and by name, where a library that was unloaded has left its addresses to another. A child of a
 * fork begins with nothing. */
#ifndef PARA_OBSERVE_LEDGER_H
#define PARA_OBSERVE_LEDGER_H

#include "base/symbol.h"
#include "plan/alarm.h"

#include <para/call.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARA__WHYS = PARA_WHY_PROCESSES + 1 };

typedef struct para__entry {
    struct para__entry *next; /* in its bucket */
    uintptr_t kernel;
    uint64_t loop;    /* .options.site */
    uint64_t unloads; /* when its name was last looked up */
    bool is_gone;     /* its address means another kernel now */
    para__symbol symbol;
    uint64_t calls, shared, workers; /* workers: the sum over shared calls */
    uint64_t time_ns, elements;
    uint64_t foreseen, foreseen_ns; /* calls whose time was predicted; what they have taken, */
    double predicted_ns;            /* and what was predicted */
    double alone_ns;                /* what the serial loop would have taken, but for */
    double unknown_elements;        /* those of shared calls when that was not known */
    double element_ns;              /* the last that is known; 0: nothing */
    uint64_t why[PARA__WHYS];
    para__alarm alarm; /* of its predictions, */
    struct {           /* and what was counted when its window began: observe/alarms.c's */
        uint64_t foreseen, foreseen_ns;
        double predicted_ns;
    } seen;
} para__entry;

/* From now on calls are counted, for one more that asks; kernels that were counted before go on.
 * The other function: for one fewer. */
void para__ledger_open(void);
void para__ledger_rest(void);

/* Entries with calls, those first whose calls took longest; *lost: calls without memory for their
 * entry. Under the ledger's mutex, from the first function to the second, which frees the list.
 * NULL: there are none, or no memory for the list. */
para__entry **para__ledger_list(size_t *count, uint64_t *lost);
void para__ledger_close(para__entry *const *list);

#endif
