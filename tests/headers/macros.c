/* What the headers' macros expand to, under more warnings than the headers themselves are compiled
 * with. As C and as C++. With FAULT it must not compile. */
#include <para/para.h>

PARA_MAP_KERNEL(square, double, double, x, x *x)
PARA_MAP2_KERNEL(product, double, double, x, double, y, x *y)
PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)
PARA_COMBINE(add, double, s, t, s += t)
PARA_SCAN_KERNEL(sums, double, s, double, x, s += x)
PARA_SCAN_EXCLUSIVE_KERNEL(offsets, double, s, double, x, s += x)
PARA_FILTER_KERNEL(positive, double, x, x > 0)
typedef struct fixed_item {
    const int id;
    double value;
} fixed_item;
PARA_FILTER_KERNEL(positive_item, fixed_item, x, x.value > 0)
PARA_FIND_KERNEL(negative, double, x, x < 0)
PARA_COMPARE(before, double, a, b, a < b)
PARA_MAP3_KERNEL(numbered, size_t, size_t, x, size_t, y, size_t, z, x + y + z + index)

PARA_LOOP(saxpy, i, float, a, const float *, x, float *, y)
{
    y[i] += a * x[i];
}
PARA_LOOP(no_parameter, i)
{
    (void)i;
}
PARA_LOOP2(rows, i, j, double (*)[3], m)
{
    m[i][j]++;
}
PARA_LOOP3(planes, i, j, k, size_t, n, size_t *, m)
{
    m[(i * n + j) * n + k] = k;
}
PARA_SUM(dot, double, i, const double *, x, const double *, y)
{
    return x[i] * y[i];
}
PARA_SUM(weighted, double, i, const double *, x, const double *, y, const int *, z)
{
    return x[i] * y[i] * z[i];
}
PARA_MIN(least, int, i, const int *, x)
{
    return x[i];
}
PARA_MAXLOC(largest, float, i, const float *, x)
{
    return x[i];
}
struct pair {
    double x, xx;
};
static const struct pair no_pair = {0, 0};
PARA_SUMS(pairs, struct pair, double, s, i, const double *, x)
{
    s->x += x[i];
    s->xx += x[i] * x[i];
}
PARA_REDUCTION(moments, struct pair, no_pair, s, t, s->x += t->x;
               s->xx += t->xx, i, const double *, x)
{
    s->x += x[i];
    s->xx += x[i] * x[i];
}
PARA_SUM_ARRAY(bins, unsigned, 256, count, i, const unsigned char *, x)
{
    count[x[i]]++;
}
PARA_SUM_ROW(columns, double, s, i, size_t, m, const double *, x)
{
    for (size_t j = 0; j < m; j++)
        s[j] += x[i * m + j];
}

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
    sort.compare = before;
    sort.data = PARA_OUT(out);
    return para_semaphore_try_acquire(&none) || para_semaphore_try_acquire(made) ||
           para_pmap(para_default_pool(), &map) || para_preduce(para_default_pool(), &reduce) ||
           para_pscan(para_default_pool(), &scan) || para_pfilter(para_default_pool(), &filter) ||
           para_pfind(para_default_pool(), &find) || para_psort(para_default_pool(), &sort);
}

int loop(double *x, float *y, int *z, size_t *n, double (*m)[3]);
int loop(double *x, float *y, int *z, size_t *n, double (*m)[3])
{
    static para_setup setup;
    struct pair pair;
    double e;
    static const unsigned char byte = 2;
    setup.tile[1] = para_reduced(bins, 1, &byte).sum[2];
    para_must(para_loop(no_parameter, 1));
    e = para_reduced(dot, 1, x, x) + para_reduced(moments, 1, x).xx +
        para_reduced_with(&setup, moments, 1, x).x + para_reduced_with(PARA_NULL_, dot, 1, x, x) +
        para_reduced(weighted, 1, x, x, z);
    n[0] = para_reduced(largest, 1, y).index;
    z[0] = para_reduced(least, 1, z);
    return para_loop(saxpy, 1, 2, y, y) || para_loop(no_parameter, n[0]) ||
           para_loop_with(&setup, rows, 3, 3, m) || para_loop(planes, 1, 1, 1, 1, n) ||
           para_loop(square, 1, x, x) || para_loop(numbered, 1, n, n, n, n) ||
           para_reduce_with(&setup, &pair, moments, 1, x) || para_reduce_to(&pair, pairs, 1, x) ||
           para_reduce_to(&e, dot, 1, x, x) || para_sum_row(x, 1, columns, 1, 1, x) ||
           para_sum_row_with(&setup, x, n[0], columns, 1, 1, x);
}

/* What a scientist may get wrong. */
#if FAULT >= 10
int wrong(double *x, float *y, const float *constant, size_t *n);
int wrong(double *x, float *y, const float *constant, size_t *n)
{
    static para_setup setup;
    float small;
    double e;
#if FAULT == 10 /* an array of another type */
    return para_loop(saxpy, 1, 2, x, y);
#elif FAULT == 11
    return para_loop(square, 1, x, y);
#elif FAULT == 12
    return para_loop(square, 1, y, x);
#elif FAULT == 13
    return para_reduce_to(&e, dot, 1, x, y);
#elif FAULT == 14 /* a result of another type */
    return para_reduce_to(&small, dot, 1, x, x);
#elif FAULT == 15 /* to be written, but constant */
    return para_loop(saxpy, 1, 2, y, constant);
#elif FAULT == 16 /* one argument too few, too many */
    return para_loop(saxpy, 1, 2, y);
#elif FAULT == 17
    return para_loop(dot, 1, x, x, x);
#elif FAULT == 24 /* the last of two inputs, of three, of a loop, of reductions */
    return para_loop(product, 1, x, x, y);
#elif FAULT == 25
    return para_loop(numbered, 1, n, n, n, x);
#elif FAULT == 26
    return para_loop_with(&setup, saxpy, 1, 2, y, x);
#elif FAULT == 27
    return para_reduced(weighted, 1, x, x, y) > 0;
#elif FAULT == 28
    return para_reduce_with(&setup, &e, weighted, 1, x, x, y);
#elif FAULT == 39
    return para_reduced_with(&setup, weighted, 1, x, x, y) > 0;
#elif FAULT == 29 /* a result of another type */
    return para_reduce_with(&setup, &small, dot, 1, x, x);
#elif FAULT == 30
    return para_reduce_to(&e, largest, 1, y);
#elif FAULT == 34
    return para_sum_row(y, 1, columns, 1, 1, x);
#elif FAULT == 35
    return para_sum_row(x, 1, columns, 1, 1, y);
#elif FAULT == 18 /* a status that nobody looks at */
    para_loop(saxpy, 1, 2, y, y);
#elif FAULT == 19
    para_reduce_to(&e, dot, 1, x, x);
#elif FAULT == 36
    para_sum_row(x, 1, columns, 1, 1, x);
#elif FAULT == 20
    para_reduced(dot, 1, x, x);
#elif FAULT == 37 /* a view whose elements have no size */
    void *any = x;
    return PARA_IN(any).element_bytes == PARA_OUT(any).element_bytes;
#elif FAULT == 33 /* a loop's name in place of its status */
    para_must(saxpy);
#endif
    setup.first[0] = n[0];
    small = 0;
    e = 0;
    return small > 0 || e > 0;
}
#endif
#if FAULT == 21 /* a type without a name */
PARA_LOOP(odd, i, float, a, const float *)
{
}
#elif FAULT == 22 /* a way out of the loop */
PARA_LOOP(early, i, float *, a)
{
    if (a[i] > 0)
        break;
}
#elif FAULT == 23 /* a value that is lacking */
PARA_SUM(nothing, double, i, const double *, x)
{
    (void)x[i];
}
#elif FAULT == 31 /* a minimum that starts from nothing */
PARA_REDUCTION(nowhere, double, s, t, *s = *t < *s ? *t : *s, i, const double *, x)
{
    *s = x[i] < *s ? x[i] : *s;
}
#elif FAULT == 38 /* commas of an identity are a macro's, too */
PARA_REDUCTION(commas, struct pair, {0, 0}, s, t, s->x += t->x, i, const double *, x)
{
    s->x += x[i];
}
#elif FAULT == 32 /* what it starts from is of another type */
PARA_REDUCTION(elsewhere, struct pair, 1.0, s, t, s->x += t->x, i, const double *, x)
{
    s->x += x[i];
}
#endif

/* Statuses that nobody looks at, one in each line between the two marks. */
#if FAULT == 40
void ignore(FILE *stream);
void ignore(FILE *stream)
{
    static para_setup setup;
    static para_pool *pool;
    static para_buffer *buffer;
    static para_shared_mutex shared;
    static para_map map;
    static para_reduce reduce;
    static para_scan scan;
    static para_filter filter;
    static para_find find;
    static para_sort sort;
    static para_pool_info info;
    static para_worker_info worker;
    static para_calibration_info costs;
    static para_topology_info machine;
    static para_cpu_info cpu;
    static para_node_info node;
    static unsigned distance;
    static para_cancel cancel;
    /* ignored: */
    para_pmap(pool, &map);
    para_preduce(pool, &reduce);
    para_pscan(pool, &scan);
    para_pfilter(pool, &filter);
    para_pfind(pool, &find);
    para_psort(pool, &sort);
    para_loop(no_parameter, 1);
    para_loop_with(&setup, no_parameter, 1);
    para_pool_create(&pool, PARA_NULL_);
    para_pool_wait_ready(pool);
    para_pool_wait_ready_until(pool, 0);
    para_pool_restart(pool);
    para_pool_get_info(pool, &info);
    para_pool_get_worker(pool, 0, &worker);
    para_topology_get_info(&machine);
    para_topology_get_cpu(0, &cpu);
    para_topology_get_node(0, &node);
    para_topology_get_distance(0, 0, &distance);
    para_buffer_create(&buffer, pool, 1, 1, PARA_NULL_);
    para_buffer_map_file(&buffer, "f", PARA_FILE_READ);
    para_calibration_get(pool, &costs);
    para_calibration_reset(pool);
    para_calibration_print(pool, stream);
    para_calibration_save(pool, "f");
    para_calibration_load(pool, "f");
    para_semaphore_init(&none, 1, 1, 0);
    para_semaphore_acquire(&none);
    para_semaphore_acquire_until(&none, 0);
    para_semaphore_acquire_cancellable(&none, &cancel);
    para_semaphore_acquire_many(&none, 2);
    para_semaphore_acquire_with(&none, 1, 0, &cancel);
    para_semaphore_try_acquire(&none);
    para_mutex_lock_until(&mutex, 0);
    para_mutex_lock_cancellable(&mutex, &cancel);
    para_mutex_lock_with(&mutex, 0, &cancel);
    para_mutex_try_lock(&mutex);
    para_shared_mutex_init(&shared);
    para_shared_mutex_lock(&shared);
    para_shared_mutex_lock_until(&shared, 0);
    para_shared_mutex_try_lock(&shared);
    para_shared_mutex_recover(&shared);
#ifdef PARA_CHECK_LOCKS
    para_mutex_lock(&mutex);
    para_mutex_unlock(&mutex);
    para_mutex_fini(&mutex);
#endif
    /* until here */
}
#endif

/* Those that may be: they fail by a fault of the program alone. */
void release(para_shared_mutex *shared);
void release(para_shared_mutex *shared)
{
#ifndef PARA_CHECK_LOCKS
    para_mutex_lock(&mutex);
    para_mutex_unlock(&mutex);
    para_mutex_fini(&mutex);
#endif
    para_semaphore_release(&three, 1);
    para_semaphore_fini(&three);
    para_shared_mutex_unlock(shared);
    para_shared_mutex_fini(shared);
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
#elif FAULT && FAULT < 10
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
