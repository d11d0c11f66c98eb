/* The helper's side of a call: looks at lanes in a worker's name, and helps where there is work. */
#ifndef PARA_SHARE_VISIT_H
#define PARA_SHARE_VISIT_H

#include "share/lane.h"

/* Of several outcomes the largest counts. */
typedef enum para__visit {
    PARA__VISIT_NOTHING,   /* no call that it could help with */
    PARA__VISIT_DISPLACED, /* the caller sits on this worker's core: out of its way */
    PARA__VISIT_WORKED     /* it was invited, and helped or came too late */
} para__visit;

/* Looks at a lane in a worker's name. Takes part in its call if nobody has looked at it in this
 * worker's name and the worker is invited. If within is not 0, only if a kernel of the call on lane
 * within - 1 made the call. */
para__visit para__lane_visit(para__lanes *lanes, unsigned index, unsigned worker, unsigned within);

/* Whether the lane has a call that nobody has looked at in this worker's name: part of the parking
 * protocol [E5]. */
bool para__lane_has_news(para__lanes *lanes, unsigned index, unsigned worker);

/* The same for all lanes: whether one has such a call; and a look at each, unless somebody else
 * acts for the worker or sits on its core. */
bool para__lanes_have_news(para__lanes *lanes, unsigned worker);
para__visit para__lanes_serve(para__lanes *lanes, unsigned worker);

#endif
