/* In place of base/trace.h: nobody looks at what a model does. The ring that events go through has
 * a model of its own. */
#ifndef MODEL_UNTRACED_H
#define MODEL_UNTRACED_H

#define PARA_BASE_TRACE_H

#include "base/events.h"

/* Never; compilers and analyzers do not know, and see that what would be told is used. */
__attribute__((unused)) static const volatile bool model_is_traced = false;

#define para__is_traced()   false
#define para__trace_begin() ((para__mark){0})
#define para__trace_begin_of(owner, ...) \
    ((void)(owner), (void)(const para__told){__VA_ARGS__}, (para__mark){0})
#define para__trace_end(since, ...)                \
    do {                                           \
        (void)(since);                             \
        if (model_is_traced)                       \
            (void)(const para__told){__VA_ARGS__}; \
    } while (0)
#define para__trace_instant(...)           para__trace_end(0, __VA_ARGS__)
#define para__trace_task(queued, function) ((void)(queued))

typedef struct para__track para__track;
typedef struct para__tracks para__tracks;
#define para__track_join(tracks, track) ((void)(tracks), (void)(track))

#endif
