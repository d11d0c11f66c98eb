/* The constants of algorithms: into what pieces they divide their elements. Entries are as in
 * tuning.h. */
#ifndef PARA_BASE_TUNING_DATA_H
#define PARA_BASE_TUNING_DATA_H

#include "base/constant.h"

/* The most elements of a kernel call of a search: what others look at in vain when one has found.
 * Reasoned: some us. */
PARA__COUNT(PARA__FIND_PIECE, 4096) /* - */

/* The most elements of a filter's block; their numbers lie on the stack. Reasoned: 8 KiB. */
#define PARA__FILTER_BLOCK 4096

/* The largest elements that a filter's kernel may store itself: a pass less, for so much memory an
 * element. Bytes. Measured on one machine: 0.65 of the time with 8; reasoned beyond. */
#define PARA__FILTER_PACKED_BYTES 16

/* Parts of a sort have so many elements at least: by key, and by a function, which may be dear.
 * Reasoned: 10 us. */
PARA__COUNT(PARA__SORT_LEAST_BY_KEY, 1024)   /* - */
PARA__COUNT(PARA__SORT_LEAST_BY_COMPARE, 16) /* - */

/* Parts for each participant by a function, whose parts are sorted by merging as well; by key
 * merging comes on top, and there is one. And pieces of a round of merging for each. Reasoned: the
 * last one is a quarter of what each does. */
PARA__COUNT(PARA__SORT_PARTS, 4)  /* - */
PARA__COUNT(PARA__SORT_PIECES, 4) /* - */

/* Pairs that the caller looks at alone for one that is out of order. Reasoned: random input shows
 * it in the first. */
PARA__COUNT(PARA__SORT_LOOK, 64) /* - */

/* Runs that are sorted by insertion before they are merged; and elements from which on there is
 * sorting by digits where keys allow it. Reasoned; a pass by digits looks at 256 counters. */
PARA__COUNT(PARA__SORT_RUN, 8)     /* - */
PARA__COUNT(PARA__RADIX_LEAST, 64) /* - */

/* How often an identity is folded in until a result has to stay, or to go to and fro between two:
 * operations that round, such as a mean times its count divided by it, may take some steps.
 * Measured: means of 300000 random counts take at most one. */
#define PARA__NEUTRAL_STEPS 8

#endif
