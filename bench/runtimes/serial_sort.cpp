// The C++ library's sort, on one thread.
#include <algorithm>
#include <cstddef>

extern "C" void bench_serial_sort(size_t n, double *x);
void bench_serial_sort(size_t n, double *x)
{
    std::sort(x, x + n);
}
