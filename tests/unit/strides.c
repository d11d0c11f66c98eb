/* Views whose elements do not follow each other: columns of a matrix, fields, windows. */
#include "../common/check.h"

enum { ROWS = 50, COLUMNS = 8 };

static int add_column(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *plus_one = chunk->out[0], *plus_two = chunk->out[1];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        const double value = in[i * COLUMNS];
        plus_one[i * COLUMNS] = value + 1;
        plus_two[i * COLUMNS] = value + 2;
    }
    return 0;
}

static int sum_column(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += in[i * COLUMNS];
    return 0;
}
PARA_COMBINE(add, double, s, t, s += t)

TEST(columns)
{
    static double m[ROWS][COLUMNS], whole[ROWS * COLUMNS], every[ROWS];
    para_strides strides = {.in = {sizeof m[0]}, .out = {sizeof m[0], sizeof m[0]}};
    para_map call = {.kernel = add_column,
                     .count = ROWS,
                     .in = {PARA_IN(&m[0][2])},
                     .out = {PARA_OUT(&m[0][3]), PARA_OUT(&m[0][1])},
                     .strides = &strides,
                     .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 3}};
    for (int i = 0; i < ROWS; i++)
        m[i][2] = i;
    OK(para_pmap(NULL, &call));
    for (int i = 0; i < ROWS; i++)
        assert_true(m[i][3] == i + 1 && m[i][1] == i + 2 && m[i][0] + m[i][4] == 0);
    call.out[1] = PARA_OUT(&m[0][2]); /* exactly in place */
    OK(para_pmap(NULL, &call));
    call.out[1] = PARA_OUT(&m[0][3]); /* two outputs in one column */
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT(&m[1][3]); /* the same, a row further */
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT_ROWS(&m[0][2], 2); /* two columns, of which one is the input */
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT_ROWS(&m[0][4], 4);
    OK(para_pmap(NULL, &call));
    call.out[1] = PARA_OUT_ROWS(&m[0][4], 8); /* beyond its own row: the next row's columns */
    strides.out[1] = 2 * sizeof m[0];
    call.count = ROWS / 2;
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT(&m[0][5]); /* other strides: every second row, apart in each */
    OK(para_pmap(NULL, &call));
    strides.out[1] = 3 * sizeof m[0][0]; /* and one that comes to every column */
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT(whole);
    strides.out[1] = sizeof whole[0] / 2; /* an output that overlaps itself */
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    call.out[1] = PARA_OUT(every);
    strides.out[1] = SIZE_MAX / 2;
    FAILS(PARA_ERR_OVERFLOW, para_pmap(NULL, &call));
    double total = 0, expected = 0;
    for (int i = 0; i < ROWS; i++)
        expected += m[i][3];
    strides = (para_strides){.in = {sizeof m[0]}};
    OK(para_preduce(NULL, &(para_reduce){.kernel = sum_column,
                                         .combine = add,
                                         .count = ROWS,
                                         .in = {PARA_IN(&m[0][3])},
                                         .strides = &strides,
                                         .result = &total,
                                         .result_bytes = sizeof total}));
    assert_true(total == expected && total >= ROWS);
}

/* The mean of three neighbours, by windows that overlap. */
static int mean_of_windows(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (in[i] + in[i + 1] + in[i + 2]) / 3;
    return 0;
}

typedef struct particle {
    double place, speed;
} particle;

static int move(const para_chunk *chunk, const void *arg)
{
    const double *speed = chunk->in[0];
    double *place = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < 2 * chunk->count; i += 2)
        place[i] += speed[i];
    return 0;
}

TEST(windows_and_fields)
{
    static double x[ROWS + 2], mean[ROWS];
    static particle p[ROWS];
    for (int i = 0; i < ROWS + 2; i++)
        x[i] = i;
    para_strides strides = {.in = {sizeof x[0]}};
    OK(para_pmap(NULL, &(para_map){.kernel = mean_of_windows,
                                   .count = ROWS,
                                   .in = {PARA_IN_ROWS(x, 3)},
                                   .out = {PARA_OUT(mean)},
                                   .strides = &strides,
                                   .options.chunk = 7}));
    /* An output within the windows overlaps. */
    para_map call = {.kernel = mean_of_windows,
                     .count = ROWS,
                     .in = {PARA_IN_ROWS(x, 3)},
                     .out = {PARA_OUT(x + 1)},
                     .strides = &strides};
    FAILS(PARA_ERR_OVERLAP, para_pmap(NULL, &call));
    for (int i = 0; i < ROWS; i++) {
        assert_true(mean[i] == i + 1);
        p[i] = (particle){.place = i, .speed = 2 * i};
    }
    strides = (para_strides){.in = {sizeof p[0]}, .out = {sizeof p[0]}};
    OK(para_pmap(NULL, &(para_map){.kernel = move,
                                   .count = ROWS,
                                   .in = {PARA_IN(&p[0].speed)},
                                   .out = {PARA_OUT(&p[0].place)},
                                   .strides = &strides}));
    for (int i = 0; i < ROWS; i++)
        assert_true(p[i].place == 3 * i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(windows_and_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
