/* A ring of events, and histograms: a reader beside the writer finds whole events, in order, and
 * knows how many it has missed. */
#include "../common/check.h"

#include "base/histogram.h"
#include "base/ring.h"

#include <pthread.h>
#include <string.h>

enum { EVENTS = 200000 };

static para__ring ring;

static uint64_t word_of(uint64_t event, unsigned word)
{
    return event * 0x9e3779b97f4a7c15u + word;
}

static void *write_events(void *arg)
{
    for (uint64_t e = 0; e < EVENTS; e++) {
        uint64_t word[PARA__RING_WORDS];
        for (unsigned w = 0; w < PARA__RING_WORDS; w++)
            word[w] = word_of(e, w);
        para__ring_put(&ring, word);
    }
    return arg;
}

static unsigned torn(const uint64_t word[PARA__RING_WORDS], uint64_t event)
{
    unsigned wrong = 0;
    for (unsigned w = 0; w < PARA__RING_WORDS; w++)
        wrong += word[w] != word_of(event, w);
    return wrong;
}

TEST(a_reader_beside_the_writer_finds_whole_events)
{
    pthread_t writer;
    uint64_t next = 0, taken = 0, lost = 0;
    unsigned wrong = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_events, NULL), 0);
    while (next < EVENTS) {
        uint64_t word[PARA__RING_WORDS];
        if (!para__ring_take(&ring, para__ring_end(&ring), &next, &lost, word))
            continue;
        taken++;
        wrong += torn(word, next - 1);
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(taken + lost, EVENTS);
}

TEST(who_comes_late_finds_the_newest)
{
    uint64_t next = 0, taken = 0, lost = 0;
    uint64_t word[PARA__RING_WORDS];
    memset(&ring, 0, sizeof ring);
    write_events(NULL);
    const uint64_t end = para__ring_end(&ring);
    while (para__ring_take(&ring, end, &next, &lost, word)) {
        taken++;
        assert_int_equal(torn(word, next - 1), 0);
    }
    assert_int_equal(taken, PARA__RING_EVENTS - 1);
    assert_int_equal(taken + lost, EVENTS);
}

TEST(a_bucket_is_an_eighth_of_its_times)
{
    unsigned before = 0;
    for (uint64_t t = 0; t < 100000; t++) {
        const unsigned bucket = para__histogram_bucket(t);
        assert_true(bucket == before || bucket == before + 1);
        assert_true(t < para__histogram_end(bucket));
        assert_true(bucket == 0 || t >= para__histogram_end(bucket - 1));
        before = bucket;
    }
    for (unsigned b = 8; b + 1 < PARA__HISTOGRAM_BUCKETS; b++) {
        const uint64_t begin = para__histogram_end(b - 1);
        const uint64_t end = para__histogram_end(b);
        assert_int_equal(para__histogram_bucket(begin), b);
        assert_int_equal(para__histogram_bucket(end - 1), b);
        assert_true((end - begin) * 8 <= begin);
    }
    assert_int_equal(para__histogram_bucket(UINT64_MAX), PARA__HISTOGRAM_BUCKETS - 1);
}

TEST(counts_add_up)
{
    static para__histogram h;
    uint64_t sum = 0, count = 0;
    for (uint64_t t = 1; t < 1000; t += 7, count++) {
        para__histogram_count(&h, t);
        sum += t;
    }
    assert_int_equal(para__load_relaxed(&h.sum), sum);
    for (unsigned b = 0; b < PARA__HISTOGRAM_BUCKETS; b++)
        count -= para__load_relaxed(&h.count[b]);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_beside_the_writer_finds_whole_events),
        cmocka_unit_test(who_comes_late_finds_the_newest),
        cmocka_unit_test(a_bucket_is_an_eighth_of_its_times),
        cmocka_unit_test(counts_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
