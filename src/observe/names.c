#include "observe/names.h"

#include "base/symbol.h"

#include <stdbool.h>
#include <string.h>

void para__text_clean(char *to, const char *from, unsigned bytes)
{
    unsigned i = 0;
    for (; i + 1 < bytes && from[i]; i++) {
        const unsigned char c = (unsigned char)from[i];
        to[i] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : from[i];
    }
    to[i] = '\0';
}

void para__names_refresh(para__names_kept *names)
{
    const uint64_t unloads = para__symbol_unloads();
    if (names->unloads != unloads)
        memset(names->name, 0, sizeof names->name);
    names->unloads = unloads;
}

const char *para__name_of(para__names_kept *names, uintptr_t function)
{
    /* Two functions that meet have places beside each other: else each event would read a file. */
    para__name *name = &names->name[(function >> 4) % (PARA__NAMES_KEPT / 2) * 2];
    if (function == 0)
        return "?";
    if (name->function && name->function != function)
        name++;
    if (name->function == function)
        return name->text;
    para__symbol symbol;
    para__symbol_find(function, &symbol);
    const bool is_known = strcmp(symbol.name, "?") != 0;
    para__text_clean(name->text, is_known ? symbol.name : symbol.place, sizeof name->text);
    name->function = function;
    return name->text;
}
