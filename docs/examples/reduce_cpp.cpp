// Reduce from C++17: the box around a cloud of points. Elements and accumulator are structs of your
// own; the identity is a box that holds nothing.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <para/para.h>
#include <type_traits>
#include <vector>

struct point {
    double x, y;
};

struct box {
    point low, high;
};
static_assert(std::is_trivially_copyable<box>::value, "para copies accumulators byte by byte");

static const box nothing = {{INFINITY, INFINITY}, {-INFINITY, -INFINITY}};

static void extend(box &b, const point &low, const point &high)
{
    b.low = {std::min(b.low.x, low.x), std::min(b.low.y, low.y)};
    b.high = {std::max(b.high.x, high.x), std::max(b.high.y, high.y)};
}

int main()
{
    std::vector<point> cloud(500000);
    for (std::size_t i = 0; i < cloud.size(); i++) {
        const double angle = static_cast<double>(i) * 0.001;
        cloud[i] = {angle * std::cos(angle), angle * std::sin(angle)};
    }

    box found = nothing;
    para_reduce call = {};
    call.kernel = [](const para_chunk *chunk, void *acc, const void *) {
        const auto *in = static_cast<const point *>(chunk->in[0]);
        for (std::size_t i = 0; i < chunk->count; i++)
            extend(*static_cast<box *>(acc), in[i], in[i]);
        return 0;
    };
    call.combine = [](void *acc, const void *rhs, const void *) {
        const auto *later = static_cast<const box *>(rhs);
        extend(*static_cast<box *>(acc), later->low, later->high);
    };
    call.count = cloud.size();
    call.in[0] = PARA_IN(cloud.data());
    call.result = &found;
    call.result_bytes = sizeof found;
    call.identity = &nothing;

    const para_status status = para_preduce(nullptr, call);
    if (status != PARA_OK) {
        std::fprintf(stderr, "reduce_cpp: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    box expected = nothing;
    for (const point &p : cloud)
        extend(expected, p, p);
    std::printf("%zu points between (%.3f, %.3f) and (%.3f, %.3f)\n", cloud.size(), found.low.x,
                found.low.y, found.high.x, found.high.y);
    const bool same = found.low.x == expected.low.x && found.low.y == expected.low.y &&
                      found.high.x == expected.high.x && found.high.y == expected.high.y;
    return same ? 0 : 1;
}
