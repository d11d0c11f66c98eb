/* What macros list of their parameters in C++, and loops on worker processes by it. */
#include <para/para.h>

#include <complex>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#define IS(wanted, type) static_assert(PARA_KIND_(type) == PARA_IS_##wanted##_, "its kind")
enum class colour { red };
struct base {
    double d;
};
struct derived : base {
    char c;
    double *inside;
};
typedef double function(double);
IS(VALUE, double);
IS(VALUE, const bool);
IS(VALUE, colour);
IS(VALUE, std::complex<double>);
typedef std::pair<char, double> marked;
IS(VALUE, marked);
IS(VALUE, derived);
IS(VALUE, std::nullptr_t);
IS(ADDRESS, double *);
IS(ADDRESS, const void *);
IS(ADDRESS, double *const);
IS(ADDRESS, double *__restrict);
IS(ADDRESS, const double *const *volatile);
IS(ADDRESS, double (*)[9]);
IS(ADDRESS, function *);
IS(ADDRESS, double &);
IS(ADDRESS, const std::vector<double> &);
IS(ADDRESS, double (&)[9]);
IS(OBJECT, std::vector<double>);
IS(OBJECT, std::unique_ptr<int>);
IS(OBJECT, std::shared_ptr<int>);

namespace
{

double third(double x)
{
    return x / 3;
}

PARA_LOOP(mixed, i, char, c, derived, d, const double &, a, std::complex<double>, z, function *, f,
          const double *, x, double (&)[1000], y)
{
    y[i] = f(x[i]) * a + z.real() + d.d + d.c + c;
}
/* NOLINTNEXTLINE(performance-unnecessary-value-param): that is what is refused */
PARA_LOOP(copied, i, std::vector<double>, v, double *, y)
{
    y[i] = v[i];
}
PARA_LOOP(referred, i, const std::vector<double> &, v, double *, y)
{
    y[i] = v[i];
}
PARA_SUM(total_of, double, i, bool, is_half, const double *, x)
{
    return is_half ? x[i] / 2 : x[i];
}

} /* namespace */

int main()
{
#ifdef PARA_UNDER_QEMU /* see process_deaths.c */
    return 0;
#endif
    constexpr size_t COUNT = 1000;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    const para_processes processes = PARA_PROCESSES_INIT;
    para_pool *pool = nullptr;
    para_buffer *buffer = nullptr;
    config.workers = 2;
    config.processes = &processes;
    const para_status status = para_pool_create(&pool, &config);
    if (status == PARA_ERR_UNSUPPORTED)
        return 0;
    if (status != PARA_OK ||
        para_buffer_create(&buffer, pool, 2 * COUNT + 1, sizeof(double), nullptr) != PARA_OK)
        return 1;
    double *const x = static_cast<double *>(para_buffer_data(buffer));
    double(&y)[COUNT] = *reinterpret_cast<double(*)[COUNT]>(x + COUNT);
    double &a = x[2 * COUNT], here = 4;
    const derived d = {{0.5}, 1, nullptr};
    const std::complex<double> z(0.25, 1);
    para_setup setup = {};
    setup.pool = pool;
    a = 4;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = static_cast<double>(i);
    if (para_loop_with(&setup, mixed, COUNT, '\2', d, a, z, third, x, y) != PARA_OK)
        return 2;
    for (size_t i = 0; i < COUNT; i++)
        if (y[i] != third(x[i]) * 4 + 3.75)
            return 3;
    if (para_loop_with(&setup, mixed, COUNT, '\2', d, here, z, third, x, y) !=
            PARA_ERR_NOT_SHARED ||
        !std::strstr(para_status_detail(), "argument a "))
        return 4;
    std::vector<double> v(COUNT, 1);
    if (para_loop_with(&setup, copied, COUNT, v, x) != PARA_ERR_NOT_SHARED ||
        !std::strstr(para_status_detail(), "argument v "))
        return 5;
    if (para_loop_with(&setup, referred, COUNT, v, x) != PARA_ERR_NOT_SHARED)
        return 6;
    double sum = 0;
    if (para_reduce_with(&setup, &sum, total_of, COUNT, true, x) != PARA_OK ||
        sum != COUNT * (COUNT - 1) / 4.0)
        return 7;
    if (para_loop(copied, COUNT, v, x) != PARA_OK || x[COUNT - 1] != 1) /* on threads */
        return 8;
    para_buffer_destroy(buffer);
    return para_pool_destroy(pool) == PARA_OK ? 0 : 9;
}
