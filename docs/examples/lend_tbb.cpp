// A program on oneTBB lends its threads to para: a table of two functions.
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <para/para.h>
#include <cstdio>
#include <vector>

namespace
{

// How many threads a call of the calling thread can have.
unsigned width(void *)
{
    const int threads = oneapi::tbb::this_task_arena::max_concurrency();
    return threads > 1 ? static_cast<unsigned>(threads) : 1;
}

// Calls help(call) on the calling thread and on others. It does not matter which of them come, how
// often, or when.
void run(void *, unsigned helpers, void (*help)(void *), void *call)
{
    oneapi::tbb::parallel_for(
        0u, helpers + 1, [&](unsigned) { help(call); }, oneapi::tbb::simple_partitioner());
}

PARA_MAP_KERNEL(square, double, double, x, x *x)

bool is_right(para_pool *pool)
{
    std::vector<double> x(20000), y(x.size());
    for (std::size_t i = 0; i < x.size(); i++)
        x[i] = static_cast<double>(i);
    para_map map{};
    map.kernel = square;
    map.count = x.size();
    map.in[0] = PARA_IN(x.data());
    map.out[0] = PARA_OUT(y.data());
    map.options.executor = PARA_EXECUTOR_THREADS;
    bool right = para_pmap(pool, &map) == PARA_OK;
    for (std::size_t i = 0; i < x.size(); i++)
        right = right && y[i] == x[i] * x[i];
    return right;
}

} // namespace

int main()
{
    const para_lender table = {sizeof table, width, run, nullptr};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = nullptr;
    config.executor = &table;
    if (para_pool_create(&pool, &config) != PARA_OK)
        return 1;
    bool right = true;
    for (int i = 0; i < 200; i++)
        right = is_right(pool) && right;
    std::vector<char> within(64);
    oneapi::tbb::parallel_for(0, 64, [&](int i) { within[i] = is_right(pool); });
    for (char one : within)
        right = right && one;
    para_pool_destroy(pool);
    std::puts(right ? "right" : "wrong");
    return !right;
}
