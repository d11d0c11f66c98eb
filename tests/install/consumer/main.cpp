// The same program in C++17, as loops.
#include <cstdio>
#include <para/para.h>
#include <vector>

PARA_LOOP(square, i, const double *, x, double *, y)
{
    y[i] = x[i] * x[i];
}
PARA_SUM(sum, double, i, const double *, x)
{
    return x[i];
}

int main()
{
    const std::size_t n = 100000;
    std::vector<double> x(n), y(n);
    for (std::size_t i = 0; i < n; i++)
        x[i] = static_cast<double>(i);
    double total = 0;
    para_status status = para_loop(square, n, x.data(), y.data());
    if (status == PARA_OK)
        status = para_reduce_to(&total, sum, n, y.data());
    const double expected = (n - 1.0) * n * (2.0 * n - 1) / 6;
    std::printf("%s: %.17g, expected %.17g\n", para_status_text(status), total, expected);
    return status == PARA_OK && total == expected ? 0 : 1;
}
