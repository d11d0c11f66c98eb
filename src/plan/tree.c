#include "plan/tree.h"

#include "base/bounds.h"
#include "base/tuning_memory.h"

#include <math.h>
#include <string.h>

static size_t divide_up(size_t n, size_t by)
{
    return n / by + (n % by != 0);
}

/* The whole part of the square root: the same on every machine and in every rounding mode. */
static size_t square_root(size_t n)
{
    size_t root = (size_t)sqrt((double)n); /* off by one at most, and by more beyond 2^53 */
    const size_t largest = ((size_t)1 << (sizeof n * 4)) - 1;
    root = para__min(root, largest);
    while (root * root > n)
        root--;
    while (root < largest && (root + 1) * (root + 1) <= n)
        root++;
    return root;
}

/* The most slots that the memory bounds allow, of which small accumulators take so many bytes. */
static size_t slots_allowed(size_t acc_bytes, size_t small_bytes)
{
    if (small_bytes <= PARA__PARTIALS_BYTES / 64)
        return PARA__PARTIALS_BYTES / small_bytes;
    return para__min(64, para__max(4, PARA__LARGE_BYTES / acc_bytes));
}

/* Below this count, a quarter of the root is less than 9. */
static const size_t first_square = (size_t)36 * 36;

size_t para__block_elements(size_t count, size_t acc_bytes)
{
    size_t blocks = count < first_square ? 8 : square_root(count) / 4;
    blocks = para__min(blocks, slots_allowed(acc_bytes, acc_bytes));
    const size_t least = acc_bytes <= PARA__PARTIALS_BYTES ? acc_bytes / 8 : acc_bytes / 2;
    const size_t block = para__max(divide_up(count, blocks), least);
    /* Longer ones begin at the same place within a cache line as the array. */
    return block < 64              ? para__max(block, 1)
           : block > SIZE_MAX - 63 ? block
                                   : (block + 63) / 64 * 64;
}

unsigned para__unit_level(size_t leaves, size_t acc_bytes, unsigned width)
{
    const size_t allowed = slots_allowed(acc_bytes, para__slot_bytes(acc_bytes));
    const size_t each =
        para__clamp(PARA__PARTIALS_CACHED_BYTES / acc_bytes, PARA__UNITS_LEAST, PARA__UNITS_MOST);
    const size_t most = para__min(width * each, allowed);
    unsigned level = 0;
    while (level < sizeof leaves * 8 - 1 && (leaves >> level) > most)
        level++;
    /* One more if the last, shorter unit would be one too many for the memory. */
    while (level < sizeof leaves * 8 - 1 && divide_up(leaves, (size_t)1 << level) > allowed)
        level++;
    return level;
}

unsigned para__tree_width(size_t leaves, size_t acc_bytes, unsigned width, unsigned *level)
{
    const size_t stride = para__slot_bytes(acc_bytes);
    const size_t room = para__max(4, PARA__FOLDING_BYTES / stride);
    const unsigned whole = para__ceiling_log2(leaves);
    unsigned best = 1;
    unsigned best_level = whole;
    for (unsigned l = *level; l < whole; l++) {
        const size_t units = divide_up(leaves, (size_t)1 << l);
        const size_t most = para__min(width, units);
        const size_t fit = units > room ? 0 : l == 0 ? most : para__min(most, (room - units) / l);
        if (fit > best) {
            best = (unsigned)fit;
            best_level = l;
        }
        if (fit == most)
            break; /* longer units are fewer */
    }
    *level = best_level;
    return best;
}

/* Folds the node of that level that begins at leaf first. From the top: of what is folded already
 * only the one slot is looked at. */
static void fold_node(const para__partials *p, size_t first, unsigned level, para__combine *combine,
                      const void *arg)
{
    uint8_t *const state = para__slot_level(p, first);
    if (level == 0 || (*state & ~PARA__SLOT_EMPTY) >= level)
        return;
    const size_t half = (size_t)1 << (level - 1);
    fold_node(p, first, level - 1, combine, arg);
    if (half < p->leaves - first) {
        unsigned char *const left = p->slots + first * p->stride;
        unsigned char *const right = left + half * p->stride;
        fold_node(p, first + half, level - 1, combine, arg);
        if (!(*para__slot_level(p, first + half) & PARA__SLOT_EMPTY)) {
            if (*state & PARA__SLOT_EMPTY)
                memcpy(left, right, p->stride - 1);
            else
                combine(left, right, arg);
            *state = 0;
        }
    }
    *state = (uint8_t)(level | (*state & PARA__SLOT_EMPTY));
}

unsigned para__tree_level(size_t leaves, size_t first, size_t end)
{
    unsigned level = 0;
    while (
        level < 63 && first % ((size_t)2 << level) == 0 &&
        (end - first >= (size_t)2 << level || (end == leaves && end - first > (size_t)1 << level)))
        level++;
    return level;
}

void para__tree_fold(const para__partials *p, size_t first, size_t end, para__combine *combine,
                     const void *arg)
{
    while (first < end) {
        const unsigned level = para__tree_level(p->leaves, first, end);
        fold_node(p, first, level, combine, arg);
        first = end - first > (size_t)1 << level ? first + ((size_t)1 << level) : end;
    }
}

void para__tree_set_run(const para__partials *p, size_t first, size_t end)
{
    for (unsigned empty = 0; first < end; empty = PARA__SLOT_EMPTY) {
        const unsigned level = para__tree_level(p->leaves, first, end);
        *para__slot_level(p, first) = (uint8_t)(level | empty);
        first = end - first > (size_t)1 << level ? first + ((size_t)1 << level) : end;
    }
}
