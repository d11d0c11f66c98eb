/* Little's law. */
#include <limits.h>
#include <para/pool.h>

unsigned para_littles_law(double rate, double service_time)
{
    const double busy = rate * service_time;
    if (!(rate >= 0 && service_time >= 0 && busy >= 0)) /* also if one is no number */
        return 0;
    return busy < UINT_MAX ? (unsigned)busy + 1 : UINT_MAX;
}
