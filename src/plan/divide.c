#include "plan/divide.h"

para__range para__slice_units(const para__division *division, unsigned s)
{
    const size_t shared = division->units - division->lead;
    const size_t first = para__share(shared, division->width, s);
    const size_t end = para__share(shared, division->width, s + 1);
    return (para__range){
        .first = first + (s > division->caller ? division->lead : 0),
        .count = end - first + (s == division->caller ? division->lead : 0),
    };
}

para__range para__ticket_units(const para__division *division, unsigned s, unsigned t, unsigned n)
{
    const para__range slice = para__slice_units(division, s);
    if (n == division->tickets)
        return slice;
    const size_t first = para__share(slice.count, division->tickets, t);
    const size_t end = para__share(slice.count, division->tickets, t + n);
    return (para__range){.first = slice.first + first, .count = end - first};
}
