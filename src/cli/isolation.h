/* Maps and reductions on worker processes: what the options ask for, and which elements were
 * damaged. */
#ifndef PARA_CLI_ISOLATION_H
#define PARA_CLI_ISOLATION_H

#include "cli/options.h"

#include <para/process.h>

typedef struct para__isolation {
    para_processes processes; /* for a pool's configuration */
    union {
        float narrow;
        double wide;
    } fill;
    para_damage *damage; /* in the order of elements, once it is said */
    size_t count, room;
    bool lacks_memory; /* for more of them */
} para__isolation;

/* What the request asks for. bytes: of an output's element, 4 or 8; 0: of a reduction, which has
 * none. The isolation stays where it is until it ends. */
void para__isolation_begin(para__isolation *isolation, const para__request *request, size_t bytes);
void para__isolation_end(para__isolation *isolation);

/* Says which elements were filled, or left out of a reduction: on stderr, or as a member of a JSON
 * object. */
void para__isolation_say(para__isolation *isolation);
void para__isolation_say_json(para__isolation *isolation);

#endif
