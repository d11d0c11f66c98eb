/* Words that may have been meant. */
#ifndef PARA_BASE_RESEMBLES_H
#define PARA_BASE_RESEMBLES_H

#include "base/bounds.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Whether somebody who typed that may have meant `name`, which is another: one letter in six is
 * wrong, missing or too many, or two in longer words. Levenshtein's distance, a row of the table at
 * a time. */
static inline bool para__resembles(const char *typed, const char *name)
{
    enum { LONGEST = 64 };
    unsigned row[LONGEST + 1];
    const size_t length = strlen(typed);
    const size_t columns = strlen(name);
    if (columns > LONGEST || length > LONGEST || strcmp(typed, name) == 0)
        return false;
    for (unsigned c = 0; c <= columns; c++)
        row[c] = c;
    for (size_t r = 0; r < length; r++) {
        unsigned diagonal = row[0]++;
        for (size_t c = 0; c < columns; c++) {
            const bool same = tolower((unsigned char)typed[r]) == tolower((unsigned char)name[c]);
            const unsigned change = diagonal + !same;
            const unsigned shift = para__min(row[c], row[c + 1]) + 1;
            diagonal = row[c + 1];
            row[c + 1] = para__min(change, shift);
        }
    }
    return row[columns] <= (length < 3 ? 0 : length < 6 ? 1 : 2);
}

#endif
