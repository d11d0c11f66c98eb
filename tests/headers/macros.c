/* What the headers' macros expand to, under more warnings than the headers themselves are compiled
 * with. As C and as C++. With FAULT it must not compile. */
#include <para/para.h>
#include <para/short.h>

PARA_MAP_KERNEL(square, double, double, x, x *x)
PARA_MAP2_KERNEL(product, double, double, x, double, y, x *y)
PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)
PARA_COMBINE(add, double, s, t, s += t)
PARA_SCAN_KERNEL(sums, double, s, double, x, s += x)
PARA_SCAN_EXCLUSIVE_KERNEL(offsets, double, s, double, x, s += x)
PARA_FILTER_KERNEL(positive, double, x, x > 0)
PARA_FIND_KERNEL(negative, double, x, x < 0)
PARA_COMPARE(less, double, a, b, a < b)

enum { THREE = 3 };
static para_mutex mutex;
static para_semaphore three = PARA_SEMAPHORE_INIT(THREE, THREE);
static para_semaphore none = PARA_SEMAPHORE_FAIR_INIT(0, PARA_SEMAPHORE_MOST);

/* Two in one line, and one in the other. */
#define PARA_WITH_BOTH PARA_WITH_MUTEX(&mutex) PARA_WITH_SEMAPHORE(&three)

int use(int most, const double *in, double *out);
int use(int most, const double *in, double *out)
{
    const uint32_t constant = 7;
    para_semaphore made[] = {PARA_SEMAPHORE_INIT(most, most), PARA_SEMAPHORE_INIT(0, most),
                             PARA_SEMAPHORE_INIT(most, 5),
                             PARA_SEMAPHORE_FAIR_INIT(constant, constant)};
    int count = 0;
    double total = 0;
    static para_map map;
    static para_reduce reduce;
    static para_scan scan;
    static para_filter filter;
    static para_find find;
    static para_sort sort;
    PARA_WITH_BOTH
    {
        PARA_WITH_BOTH
        {
            count += most;
        }
    }
    map.in[0] = PARA_IN(in);
    map.out[0] = PARA_OUT_ROWS(out, 2);
    map.kernel = count ? square : product;
    reduce.kernel = sum;
    reduce.combine = add;
    scan.kernel = count ? sums : offsets;
    filter.kernel = positive;
    find.kernel = negative;
    sort.compare = less;
    sort.data = PARA_OUT(out);
    return para_semaphore_try_acquire(&none) || para_semaphore_try_acquire(made) ||
           para_pmap(para_default_pool(), &map) || para_preduce(para_default_pool(), &reduce) ||
           para_pscan(para_default_pool(), &scan) || para_pfilter(para_default_pool(), &filter) ||
           para_pfind(para_default_pool(), &find) || para_psort(para_default_pool(), &sort) ||
           pmap(square, in, out, 1) || preduce(sum, add, out, 1, &total);
}

#if FAULT == 1
static para_semaphore wrong = PARA_SEMAPHORE_INIT(5, 3);
#elif FAULT == 2
void local(void)
{
    para_semaphore wrong = PARA_SEMAPHORE_INIT(5, 3);
    para_semaphore_release(&wrong, 1);
}
#elif FAULT == 3
static para_semaphore wrong = PARA_SEMAPHORE_INIT(1, PARA_SEMAPHORE_MOST + 1);
#elif FAULT == 4
static para_semaphore wrong = PARA_SEMAPHORE_FAIR_INIT(0, 0);
#elif FAULT == 5 && defined(__cplusplus)
void release_at_once()
{
    para::mutex_guard{mutex};
}
#elif FAULT == 6 && defined(__cplusplus)
void release_at_once()
{
    para::semaphore_guard{three};
}
#elif FAULT
#error "no such fault"
#endif

#ifdef __cplusplus
void hold(para::mutex &other);
void hold(para::mutex &other)
{
    const para::mutex_guard first(mutex), second(other);
    const para::semaphore_guard unit(three);
}
#endif
