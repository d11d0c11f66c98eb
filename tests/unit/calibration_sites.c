/* Calibration: a site's knowledge is saved and loaded completely, its words compared. */
#include "pool/types.h"

#include "calibration.h"

#include <float.h>

/* Everything that a pool knows of a site, at values that calls seldom come to. */
TEST(all_that_is_known_of_a_site_is_saved)
{
    static const para__estimate estimates[] = {
        {.alone_ns = 1.25f, .mean_ns = 1.25f, .alone = 1},
        {.alone_ns = 1.1f,
         .shared_ns = 3.3f,
         .price_ns = 1234.5f,
         .mean_ns = 2.2f,
         .credit_ns = 987654.3f,
         .deviation = 255,
         .spread = 255,
         .refused = 3,
         .priced = 1,
         .alone = 15,
         .shared = 15},
        {.shared_ns = 1e-9f, .credit_ns = FLT_MAX, .spread = 16, .refused = 1, .shared = 2},
    };
    static const para__tuner widths[] = {
        {0},
        {.element_ns = 0.1f, .halvings = 31, .wider = true, .again = true, .turn = true},
        {.element_ns = 7, .halvings = -1, .again = true},
    };
    para_pool *pool = check_pool(WORKERS);
    const uintptr_t kernel = (uintptr_t)square;
    for (unsigned i = 0; i < COUNT_OF(estimates); i++)
        para__site_set(para__site_find(&pool->sites, para__site_key_of(kernel, 1000, i)),
                       estimates[i], widths[i]);
    OK(para_calibration_save(pool, in_root("saved")));
    para_pool_destroy(pool);
    pool = check_pool(WORKERS);
    OK(para_calibration_load(pool, in_root("saved")));
    for (unsigned i = 0; i < COUNT_OF(estimates); i++) {
        para__site *site = para__site_find(&pool->sites, para__site_key_of(kernel, 1000, i));
        const para__estimate estimate = para__site_read(site);
        assert_memory_equal(&estimate, &estimates[i], sizeof estimate);
        assert_int_equal(para__tuner_pack(para__site_tuner(site)), para__tuner_pack(widths[i]));
    }
    assert_int_equal(site_count(pool), COUNT_OF(estimates));
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_known_of_a_site_is_saved),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
