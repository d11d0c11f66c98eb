/* Sorting in place: numbers, structs by a key within them, and structs by a function. All three are
 * stable: what compares equal stays in its order. */
#include <para/para.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct person {
    char name[12];
    int age;
    double income;
} person;

enum { n = 200000 };
static double x[n];
static person people[n];

/* a comes before b: by name, and the older one first where names are the same. */
static int by_name(const void *a, const void *b, const void *arg)
{
    const person *p = a, *q = b;
    const int names = strcmp(p->name, q->name);
    (void)arg;
    return names ? names : q->age - p->age;
}

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = (i * 7919LL % 10007) - 5000.5;
        snprintf(people[i].name, sizeof people[i].name, "p%d", (int)(i * 104729LL % 5003));
        people[i].age = i % 90;
        people[i].income = i % 1000;
    }
    const para_sort numbers = {.data = PARA_OUT(x), .count = n, .key = PARA_KEY_F64};
    const para_sort incomes = {.data = PARA_OUT(people),
                               .count = n,
                               .key = PARA_KEY_F64,
                               .key_offset = offsetof(person, income),
                               .descending = true};
    const para_sort names = {.data = PARA_OUT(people), .count = n, .compare = by_name};
    if (para_psort(NULL, &numbers) || para_psort(NULL, &incomes))
        return 1;
    printf("the highest income is %g\n", people[0].income);
    for (int i = 1; i < n; i++)
        if (x[i - 1] > x[i] || people[i - 1].income < people[i].income)
            return 1;
    if (para_psort(NULL, &names))
        return 1;
    for (int i = 1; i < n; i++) {
        const person *p = &people[i - 1], *q = &people[i];
        const int order = by_name(p, q, NULL);
        if (order > 0 || (order == 0 && p->income < q->income)) /* stable: incomes still descend */
            return 1;
    }
    printf("the first name is %s\n", people[0].name);
    return 0;
}
