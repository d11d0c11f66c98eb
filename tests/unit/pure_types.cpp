/* What a body may write through its parameters, in C++: such reductions are run once. */
#include <para/para.h>

#include <memory>
#include <vector>

#define READS(type)  static_assert(!PARA_WRITES_(type), "nothing is written through it")
#define WRITES(type) static_assert(PARA_WRITES_(type), "something may be written through it")
enum class colour { red };
union either {
    int i;
    double *p;
};
typedef void function(int);
READS(double);
READS(bool);
READS(colour);
READS(std::nullptr_t);
READS(const double *);
READS(const void *);
READS(const double *const);
READS(const double *__restrict);
READS(const double (*)[9]);
READS(const std::vector<double> &);
WRITES(double *);
WRITES(void *);
WRITES(double *const);
WRITES(double *__restrict);
WRITES(volatile int *);
WRITES(const double **);
WRITES(double (*)[9]);
WRITES(double &);
WRITES(std::vector<double> &);
WRITES(std::vector<double>);
WRITES(std::unique_ptr<int>);
WRITES(either);
WRITES(function *);

PARA_SUM(total_of, double, i, const std::vector<double> &, from)
{
    return from[i];
}
PARA_SUM(step, double, i, std::vector<double> &, to)
{
    return to[i] += 1;
}

/* A class that has no default constructor, and is no number. */
struct weight {
    double g;
    weight(double grams) : g(grams)
    {
    }
    weight &operator+=(const weight &other)
    {
        g += other.g;
        return *this;
    }
};
PARA_SUM(weight_of, weight, i, const std::vector<double> &, from)
{
    return weight(from[i]);
}

int main()
{
    std::vector<double> x(1000, 2);
    double sum = 0;
    para_check_kernels(true);
    if (para_reduce_to(&sum, total_of, x.size(), x) != PARA_OK || sum != 2000)
        return 1;
    if (para_reduced(weight_of, x.size(), x).g != 2000)
        return 4;
    para_setup setup = {};
    setup.first[0] = 1;
    if (para_reduced_with(&setup, total_of, x.size() - 1, x) + x[0] != 2000)
        return 1;
    if (para_reduce_to(&sum, step, x.size(), x) != PARA_OK || sum != 3000)
        return 2;
    return x[999] == 3 ? 0 : 3;
}
