/* Who looks at what the engine does: a trace at events, statistics at numbers. */
#ifndef PARA_OBSERVE_LOOK_H
#define PARA_OBSERVE_LOOK_H

#include "base/status.h"
#include "base/trace.h"

/* From now on threads tell of what they do, for that kind of reader (base/trace.h).
 * PARA_ERR_MEMORY: there is no memory for what they tell. */
para_status para__look(unsigned bits);

/* That reader looks away. */
void para__look_away(unsigned bits);

#endif
