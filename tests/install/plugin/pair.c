/* A plug-in with a static para that has a default pool, and locks. */
#include <para/para.h>

PARA_MAP_KERNEL(square, double, double, v, (v * v))

int pair_call(void);
int pair_call(void)
{
    double x[1000] = {0};
    double y[1000];
    return para_pmap(
        NULL,
        &(para_map){.kernel = square, .count = 1000, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}});
}

/* And a call that fails, so that there is a text. */
int pair_lock(void);
int pair_lock(void)
{
    static para_mutex mutex;
    para_mutex_lock(&mutex);
    para_mutex_unlock(&mutex);
    return para_pmap(NULL, NULL) == PARA_ERR_ARGUMENT && para_status_detail()[0] ? 0 : 1;
}
