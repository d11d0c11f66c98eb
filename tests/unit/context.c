/* Trace contexts: texts that are some, texts that are none; tasks have them and hand them on. */
#include "../common/check.h"

#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

static void becomes(const char *text, const char *again)
{
    para_context c;
    char written[PARA_CONTEXT_BYTES];
    OK(para_context_parse(text, &c));
    para_context_write(&c, written);
    assert_string_equal(written, again);
}

TEST(texts_that_are_contexts)
{
    becomes("00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01");
    becomes("00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00");
    becomes("00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-03"); /* others are not known */
    becomes("cc-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01"); /* of a later version */
    becomes("01-" TRACE "-" SPAN "-01-more", "00-" TRACE "-" SPAN "-01");
    becomes("00-00000000000000000000000000000001-0000000000000001-00",
            "00-00000000000000000000000000000001-0000000000000001-00");
}

TEST(texts_that_are_none)
{
    static const char *const texts[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-011",
        "01-" TRACE "-" SPAN "-01more",
        "01-" TRACE "-" SPAN "-011",
        "ff-" TRACE "-" SPAN "-01",
        "0g-" TRACE "-" SPAN "-01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-" TRACE "-" SPAN "-0A",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        " 00-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01 ",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033310-01",
    };
    const para_context before = {.flags = 77};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        para_context c = before;
        FAILS(PARA_ERR_ARGUMENT, para_context_parse(texts[i], &c));
        assert_memory_equal(&c, &before, sizeof c);
    }
    para_context c;
    FAILS(PARA_ERR_ARGUMENT, para_context_parse(NULL, &c));
    FAILS(PARA_ERR_ARGUMENT, para_context_parse(texts[0], NULL));
}

/* Each byte that is another makes it another context, or none. */
TEST(each_byte_counts)
{
    static const char text[] = "00-" TRACE "-" SPAN "-01";
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char other[sizeof text], written[PARA_CONTEXT_BYTES];
        para_context c;
        memcpy(other, text, sizeof text);
        other[check_below(&seed, sizeof text - 1)] = (char)(1 + check_below(&seed, 255));
        if (para_context_parse(other, &c))
            continue;
        para_context_write(&c, written);
        assert_memory_equal(written + 2, other + 2, 51); /* but for version and flags */
    }
}

static para_context context_of(const char *text)
{
    para_context c;
    OK(para_context_parse(text, &c));
    return c;
}

/* What a task has found; `has` is 2 before it ran. */
typedef struct finding {
    int has;
    para_context context;
    para_pool *pool;
    struct finding *inner, *own;
} finding;

static int look(void *arg);

static const para_context other = {.trace_id = {9}, .span_id = {8}, .flags = 1};

static void look_in(para_pool *pool, finding *at, const para_context *context)
{
    para_task task = {.run = look, .arg = at, .context = context};
    at->pool = pool;
    para_must(para_submit(pool, &task));
    para_must(para_task_wait(&task));
}

static int look(void *arg)
{
    finding *const at = arg;
    at->has = para_context_here(&at->context);
    if (at->inner)
        look_in(at->pool, at->inner, NULL);
    if (at->own)
        look_in(at->pool, at->own, &other);
    finding again = {0};
    again.has = para_context_here(&again.context);
    return again.has != at->has || memcmp(&again.context, &at->context, sizeof other) != 0;
}

static para_context at_end;
static int has_at_end;

static void note_end(para_task *task)
{
    (void)task;
    has_at_end = para_context_here(&at_end);
}

TEST(tasks_have_them_and_hand_them_on)
{
    const para_context c = context_of("00-" TRACE "-" SPAN "-01");
    for (unsigned workers = 1; workers <= 3; workers++) {
        para_pool *const pool = check_pool(workers);
        finding innermost = {.has = 2}, inner = {.inner = &innermost, .has = 2}, own = {.has = 2};
        finding outer = {.inner = &inner, .own = &own, .has = 2}, none = {.has = 2};
        look_in(pool, &outer, &c);
        look_in(pool, &none, NULL);
        assert_int_equal(outer.has, 1);
        assert_memory_equal(&outer.context, &c, sizeof c);
        assert_int_equal(innermost.has, 1);
        assert_memory_equal(&innermost.context, &c, sizeof c);
        assert_int_equal(own.has, 1);
        assert_memory_equal(&own.context, &other, sizeof other);
        assert_int_equal(none.has, 0);
        assert_false(para_context_here(&none.context));
        para_task task = {.run = look, .arg = &(finding){0}, .context = &c, .done = note_end};
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        assert_int_equal(has_at_end, 1);
        assert_memory_equal(&at_end, &c, sizeof c);
        OK(para_pool_destroy(pool));
    }
}

/* It is copied: the program's may be gone when the task runs. Submitted anew, it has another. */
TEST(a_context_is_copied_at_each_submission)
{
    para_pool *const pool = check_pool(2);
    finding at = {.has = 2};
    para_context c = context_of("00-" TRACE "-" SPAN "-01");
    const para_context before = c;
    para_task task = {.run = look, .arg = &at, .context = &c};
    OK(para_submit(pool, &task));
    memset(&c, 0xee, sizeof c);
    OK(para_task_wait(&task));
    assert_memory_equal(&at.context, &before, sizeof c);
    task.context = NULL;
    at = (finding){.has = 2};
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(at.has, 0);
    OK(para_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_contexts),
        cmocka_unit_test(texts_that_are_none),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(tasks_have_them_and_hand_them_on),
        cmocka_unit_test(a_context_is_copied_at_each_submission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
