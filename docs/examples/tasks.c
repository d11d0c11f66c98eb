/* Tasks: recursion that waits for its parts, and a walk through a tree whose size nobody knows. */
#include <para/para.h>

#include <stdio.h>

/* ---- Fibonacci ------------------------------------------------------------------------ */

typedef struct fibonacci {
    unsigned n;
    unsigned long value;
} fibonacci;

static unsigned long fibonacci_of(unsigned n)
{
    return n < 2 ? n : fibonacci_of(n - 1) + fibonacci_of(n - 2);
}

static int run_fibonacci(void *arg)
{
    fibonacci *f = arg;
    if (f->n < 20) { /* a task should take a microsecond or more */
        f->value = fibonacci_of(f->n);
        return 0;
    }
    fibonacci a = {.n = f->n - 1}, b = {.n = f->n - 2};
    para_task task = {.run = run_fibonacci, .arg = &a};
    if (para_submit(NULL, &task))
        return 1;
    const int failed = run_fibonacci(&b);
    if (para_task_wait(&task) || failed) /* a has to be waited for in any case */
        return 1;
    f->value = a.value + b.value;
    return 0;
}

/* ---- A tree --------------------------------------------------------------------------- */

typedef struct node {
    struct node *left, *right;
    long value, doubled;
    para_task task; /* as long as the tree lives */
} node;

static para_task_group walk;

static void visit(node *n);

static int visit_children(void *arg)
{
    node *n = arg;
    n->doubled = 2 * n->value;
    visit(n->left);
    visit(n->right);
    return 0;
}

static void visit(node *n)
{
    if (!n)
        return;
    n->task = (para_task){.run = visit_children, .arg = n, .group = &walk};
    para_must(para_submit(NULL, &n->task));
}

static node *make_tree(node **next, long value, unsigned depth)
{
    node *n = (*next)++;
    n->value = value;
    n->left = depth ? make_tree(next, 2 * value, depth - 1) : NULL;
    n->right = depth > 1 ? make_tree(next, 2 * value + 1, depth - 2) : NULL;
    return n;
}

int main(void)
{
    enum { NODES = 2000, DEPTH = 14 };
    static node nodes[NODES];
    node *next = nodes;
    fibonacci f = {.n = 27};
    para_task task = {.run = run_fibonacci, .arg = &f};
    int wrong = 0;
    if (para_submit(NULL, &task) || para_task_wait(&task))
        return 1;
    printf("fibonacci(27) is %lu\n", f.value);

    node *root = make_tree(&next, 1, DEPTH);
    PARA_WITH_TASKS(&walk)
    visit(root);
    if (para_task_group_wait(&walk)) /* over already: whether a task has failed */
        return 1;
    for (const node *n = nodes; n < next; n++)
        wrong |= n->doubled != 2 * n->value;
    printf("%d nodes were visited\n", (int)(next - nodes));
    return wrong || f.value != fibonacci_of(27);
}
