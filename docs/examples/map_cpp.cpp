// Map from C++17: vectors, and a kernel that is a lambda without captures. C++17 has no designated
// initialisers, so a call starts from {} and its fields are set by name.
#include <cmath>
#include <cstdio>
#include <para/para.h>
#include <vector>

int main()
{
    const std::size_t n = 1000000;
    std::vector<float> x(n), y(n);
    for (std::size_t i = 0; i < n; i++)
        x[i] = static_cast<float>(i) * 1e-3f;

    const float scale = 2.5f;
    para_map call = {};
    call.kernel = [](const para_chunk *chunk, const void *arg) {
        const auto *in = static_cast<const float *>(chunk->in[0]);
        auto *out = static_cast<float *>(chunk->out[0]);
        const float factor = *static_cast<const float *>(arg);
        for (std::size_t i = 0; i < chunk->count; i++)
            out[i] = factor * std::sqrt(in[i]);
        return 0; // a kernel must not let an exception out: return an error instead
    };
    call.arg = &scale;
    call.count = n;
    call.in[0] = PARA_IN(x.data());
    call.out[0] = PARA_OUT(y.data());

    const para_status status = para_pmap(nullptr, call);
    if (status != PARA_OK) {
        std::fprintf(stderr, "map_cpp: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    for (std::size_t i = 0; i < n; i++)
        if (y[i] != scale * std::sqrt(x[i])) {
            std::fprintf(stderr, "map_cpp: element %zu differs from the serial loop\n", i);
            return 1;
        }
    std::printf("%zu square roots, the last is %g\n", n, static_cast<double>(y[n - 1]));
    return 0;
}
