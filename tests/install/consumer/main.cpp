// The same program in C++17, by the short names.
#include <cstdio>
#include <para/para.h>
#include <para/short.h>
#include <vector>

PARA_MAP_KERNEL(square, double, double, v, (v * v))
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

int main()
{
    const std::size_t n = 100000;
    std::vector<double> x(n), y(n);
    for (std::size_t i = 0; i < n; i++)
        x[i] = static_cast<double>(i);
    double total = 0;
    para_status status = pmap(square, x.data(), y.data(), n);
    if (status == PARA_OK)
        status = preduce(sum, add, y.data(), n, &total);
    const double expected = (n - 1.0) * n * (2.0 * n - 1) / 6;
    std::printf("%s: %.17g, expected %.17g\n", para_status_text(status), total, expected);
    return status == PARA_OK && total == expected ? 0 : 1;
}
