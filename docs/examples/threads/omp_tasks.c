/* OpenMP's tasks of docs/from-threads.md: each with OpenMP and with para, with the same results.
 * Without OpenMP the pragmas are passed over. */
#include <para/para.h>
#include <stdio.h>

enum { n = 100, tree = 4000 };

typedef struct node {
    struct node *left, *right;
    long value;
} node;

static node nodes[tree];
static double x[n], y[n], z[n];
static para_status status;

/* ---- task, taskwait ------------------------------------------------------------------- */

static long sum_omp(node *at)
{
    long left = 0, right = 0;
    if (!at)
        return 0;
#pragma omp task shared(left)
    left = sum_omp(at->left);
    right = sum_omp(at->right);
#pragma omp taskwait
    return at->value + left + right;
}

typedef struct visit {
    node *at;
    long sum;
} visit;

static int sum_para(void *arg)
{
    visit *v = arg;
    if (!v->at)
        return 0;
    visit left = {.at = v->at->left}, right = {.at = v->at->right};
    para_task task = {.run = sum_para, .arg = &left};
    para_must(para_submit(NULL, &task));
    sum_para(&right);
    para_must(para_task_wait(&task));
    v->sum = v->at->value + left.sum + right.sum;
    return 0;
}

static int recursion(void)
{
    long sum = 0;
#pragma omp parallel
#pragma omp single
    sum = sum_omp(nodes);

    visit root = {.at = nodes};
    para_task task = {.run = sum_para, .arg = &root};
    para_must(para_submit(NULL, &task));
    status = para_task_wait(&task);

    return status == PARA_OK && root.sum == sum && sum == tree / 2 * (tree - 1L);
}

/* ---- taskgroup ------------------------------------------------------------------------ */

static void fill(double *at, double value)
{
    *at = value * value;
}

static int fill_one(void *arg)
{
    double *const at = arg;
    fill(at, (double)(at - z));
    return 0;
}

static int a_group(void)
{
#pragma omp parallel
#pragma omp single
#pragma omp taskgroup
    {
        for (int i = 0; i < n; i++)
#pragma omp task firstprivate(i)
            fill(&y[i], i);
    }

    para_task_group group = {0};
    para_task task[n];
    PARA_WITH_TASKS(&group)
    {
        for (int i = 0; i < n; i++) {
            task[i] = (para_task){.run = fill_one, .arg = &z[i], .group = &group};
            para_must(para_submit(NULL, &task[i]));
        }
    }

    for (int i = 0; i < n; i++)
        if (y[i] != z[i])
            return 0;
    return 1;
}

/* ---- taskloop ------------------------------------------------------------------------- */

PARA_LOOP(square, i, const double *, a, double *, b)
{
    b[i] = a[i] * a[i];
}

static int a_loop(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i;

#pragma omp parallel
#pragma omp single
#pragma omp taskloop
    for (int i = 0; i < n; i++)
        y[i] = x[i] * x[i];

    status = para_loop(square, n, x, z);

    for (int i = 0; i < n; i++)
        if (y[i] != z[i])
            return 0;
    return status == PARA_OK;
}

/* ---- depend --------------------------------------------------------------------------- */

static void produce(double *a)
{
    *a = 3;
}
static void consume(const double *a, double *b)
{
    *b = *a + 1;
}

typedef struct chain {
    para_task first, second;
    double a, b;
} chain;

static int produce_task(void *arg)
{
    chain *c = arg;
    produce(&c->a);
    return para_submit(NULL, &c->second); /* what depends on it */
}
static int consume_task(void *arg)
{
    chain *c = arg;
    consume(&c->a, &c->b);
    return 0;
}

static int dependence(void)
{
    double a = 0, b = 0;
#pragma omp parallel
#pragma omp single
    {
#pragma omp task depend(out : a)
        produce(&a);
#pragma omp task depend(in : a) depend(out : b)
        consume(&a, &b);
    }

    para_task_group group = {0};
    chain c = {.first = {.run = produce_task, .arg = &c, .group = &group},
               .second = {.run = consume_task, .arg = &c, .group = &group}};
    para_must(para_submit(NULL, &c.first));
    status = para_task_group_wait(&group); /* also for what the tasks of the group submit */

    return status == PARA_OK && c.b == b && b == 4;
}

int main(void)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {{"task, taskwait", recursion},
               {"taskgroup", a_group},
               {"taskloop", a_loop},
               {"depend", dependence}};
    int failed = 0;
    for (int i = 0; i < tree; i++)
        nodes[i] = (node){.left = 2 * i + 1 < tree ? &nodes[2 * i + 1] : NULL,
                          .right = 2 * i + 2 < tree ? &nodes[2 * i + 2] : NULL,
                          .value = i};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        const int is_right = all[i].run();
        printf("%s: %s\n", all[i].name, is_right ? "equal" : "different");
        failed += !is_right;
    }
    return failed;
}
