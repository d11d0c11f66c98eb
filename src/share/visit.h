/* The helper's side of a call: who looks at lanes in a worker's name, and helps where there is
 * something to do. */
#ifndef PARA_SHARE_VISIT_H
#define PARA_SHARE_VISIT_H

#include "share/lane.h"

/* Of several outcomes the largest counts. */
typedef enum para__visit {
    PARA__VISIT_NOTHING,   /* no call that it could help with */
    PARA__VISIT_DISPLACED, /* the caller sits on this worker's core: out of its way */
    PARA__VISIT_WORKED     /* it was invited, and helped or came too late */
} para__visit;

/* Somebody who acts for a worker looks at a lane: takes part if there is a call there that was not
 * looked at in the worker's name, and to which the worker is invited; if within is not 0, only in a
 * call made by a kernel of the call on lane within - 1. */
para__visit para__lane_visit(para__lanes *lanes, unsigned index, unsigned worker, unsigned within);

/* Whether there is such a call, as part of the parking protocol [E5]. */
bool para__lane_has_news(para__lanes *lanes, unsigned index, unsigned worker);

/* The same for all lanes: whether there is a call that the worker has not looked at, and a look at
 * each, unless somebody else acts for the worker or sits on its core. */
bool para__lanes_have_news(para__lanes *lanes, unsigned worker);
para__visit para__lanes_serve(para__lanes *lanes, unsigned worker);

#endif
