/* para: a shared-memory data-parallel engine. Includes all that programs need. */
#ifndef PARA_PARA_H
#define PARA_PARA_H

#include <para/buffer.h>
#include <para/calibration.h>
#include <para/call.h>
#include <para/cancel.h>
#include <para/context.h>
#include <para/deadline.h>
#include <para/dispatch.h>
#include <para/filter.h>
#include <para/find.h>
#include <para/guard.h>
#include <para/kernel.h>
#include <para/letter.h>
#include <para/log.h>
#include <para/loop.h>
#include <para/map.h>
#include <para/must.h>
#include <para/mutex.h>
#include <para/page.h>
#include <para/pool.h>
#include <para/process.h>
#include <para/reduce.h>
#include <para/reduction.h>
#include <para/scan.h>
#include <para/semaphore.h>
#include <para/setup.h>
#include <para/shared_mutex.h>
#include <para/sort.h>
#include <para/stats.h>
#include <para/status.h>
#include <para/sum_row.h>
#include <para/task.h>
#include <para/topology.h>
#include <para/trace.h>
#include <para/version.h>
#include <para/watch.h>
#include <para/watchdog.h>

#endif
