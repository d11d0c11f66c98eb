/* The reader of .npy headers. Each file is placed against a page that cannot be touched, so that a
 * single byte read beyond its end is a crash in every build. */
#include "cli/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM ((size_t)1 << 18) /* a multiple of every page size */

static char *wall; /* the first byte that cannot be touched */
static char fault[PARA__NPY_FAULT_MAX];

static int build_wall(void **state)
{
    (void)state;
    char *memory = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + ROOM, ROOM, PROT_NONE) != 0)
        return -1;
    wall = memory + ROOM;
    return 0;
}

static bool parse(para__npy *npy, const void *file, size_t bytes)
{
    assert_true(bytes <= ROOM);
    memcpy(wall - bytes, file, bytes);
    memset(fault, 0, sizeof fault);
    const bool good = para__npy_parse(npy, wall - bytes, bytes, fault);
    assert_true(good || (fault[0] && strlen(fault) < sizeof fault));
    return good;
}

/* A file of that version with the dictionary, ended by spaces and a newline so that the data begin
 * at 128, and so many bytes of data. */
static size_t compose(char *file, int version, const char *dictionary, size_t data_bytes)
{
    const size_t prefix = version == 1 ? 10 : 12;
    const size_t length = 128 - prefix;
    assert_true(strlen(dictionary) < length);
    memset(file, ' ', 128);
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (char)version;
    memset(file + 7, 0, prefix - 7);
    file[8] = (char)length;
    memcpy(file + prefix, dictionary, strlen(dictionary));
    file[127] = '\n';
    memset(file + 128, 0, data_bytes);
    return 128 + data_bytes;
}

static bool parse_dictionary(para__npy *npy, const char *dictionary, size_t data_bytes)
{
    char file[1024];
    return parse(npy, file, compose(file, 1, dictionary, data_bytes));
}

static void check_refused(const char *dictionary, size_t data_bytes, const char *why)
{
    para__npy npy;
    assert_false(parse_dictionary(&npy, dictionary, data_bytes));
    if (!strstr(fault, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", dictionary, fault, why);
}

static void all_versions_are_read(void **state)
{
    (void)state;
    char file[1024];
    para__npy npy;
    for (int version = 1; version <= 3; version++) {
        const size_t bytes = compose(
            file, version, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 48);
        assert_true(parse(&npy, file, bytes));
        assert_int_equal(npy.type, PARA_FLOAT32);
        assert_int_equal(npy.rank, 2);
        assert_int_equal(npy.shape[0], 3);
        assert_int_equal(npy.shape[1], 4);
        assert_int_equal(npy.count, 12);
        assert_int_equal(npy.element_bytes, 4);
        assert_int_equal(npy.data_offset, 128);
    }
    file[6] = 4;
    assert_false(parse(&npy, file, 128 + 48));
    assert_string_equal(fault, "version 4.0 of the .npy format is not supported");
}

static void any_spelling_of_the_dictionary_is_read(void **state)
{
    (void)state;
    para__npy npy;
    assert_true(
        parse_dictionary(&npy, "{\"shape\":(5,),\"fortran_order\":True,\"descr\":\"=f8\"}", 40));
    assert_int_equal(npy.type, PARA_FLOAT64);
    assert_int_equal(npy.count, 5);
    assert_true(parse_dictionary(
        &npy, "{ 'shape' : ( 2L , 3L ) ,'fortran_order':False,'descr':'<f8'} ", 48));
    assert_int_equal(npy.count, 6);
    assert_true(parse_dictionary(&npy, "{'descr': '<f8', 'fortran_order': False, 'shape': ()}", 8));
    assert_int_equal(npy.rank, 0);
    assert_int_equal(npy.count, 1);
}

static void arrays_without_elements_are_read(void **state)
{
    (void)state;
    para__npy npy;
    assert_true(
        parse_dictionary(&npy, "{'descr': '<f8', 'fortran_order': False, 'shape': (0,)}", 0));
    assert_int_equal(npy.count, 0);
    /* A zero makes the others harmless, however large they are. */
    assert_true(parse_dictionary(&npy,
                                 "{'descr': '<f8', 'fortran_order': False, "
                                 "'shape': (9999999999999, 9999999999999, 0)}",
                                 0));
    assert_int_equal(npy.count, 0);
}

static void other_element_types_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {">f8", ">f4",  "!f8",      "<i4", "|O",
                                        "|u1", "<c16", "<f2",      "<",   "g",
                                        "f80", "F8",   "<float64", " f8", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[128];
        char expected[64];
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (1,)}",
                 names[i]);
        snprintf(expected, sizeof expected, "element type '%s' is not supported", names[i]);
        check_refused(text, 8, expected);
    }
    check_refused("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}", 8, "big-endian");
    check_refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 8,
                  "structured");
    check_refused("{'descr': 8, 'fortran_order': False, 'shape': (1,)}", 8,
                  "'descr' is not a string");
}

static void a_fault_holds_no_control_characters(void **state)
{
    (void)state;
    check_refused("{'descr': '\x1b[2J', 'fortran_order': False, 'shape': (1,)}", 8, "'?[2J'");
}

static void fortran_order_is_told_where_it_matters(void **state)
{
    (void)state;
    static const struct {
        const char *shape;
        size_t bytes;
        bool matters;
    } cases[] = {{"()", 8, false},      {"(1,)", 8, false},   {"(2, 1)", 16, false},
                 {"(1, 2)", 16, false}, {"(2, 2)", 32, true}, {"(2, 0, 2)", 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        para__npy npy;
        snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': True, 'shape': %s}",
                 cases[i].shape);
        assert_true(parse_dictionary(&npy, text, cases[i].bytes));
        assert_int_equal(npy.fortran, cases[i].matters);
    }
}

static void malformed_dictionaries_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "()",
        "{'descr'",
        "{'descr': '<f8'",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}}",
        "{'descr': '<f8' 'fortran_order': False, 'shape': (1,)}",
        "{,'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1.0,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [1]}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,,)}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (01,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1__0,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1_,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (_1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0x,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1l,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1LL,)}",
        "{'descr': b'<f8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8\\'', 'fortran_order': False, 'shape': (1,)}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(bad[i], 64, "malformed header");
    check_refused("{'descr': '<f8', 'fortran_order': False}", 8, "'shape' is missing");
}

static void shapes_beyond_the_address_space_are_refused(void **state)
{
    (void)state;
    static const char
        *const
            bad
                [] =
                    {
                        "99999999999999999999",   "18446744073709551616",
                        "18446744073709551615",   "9223372036854775807",
                        "1152921504606846976", /* 2^60 elements of 8 bytes: exactly 2^63 bytes */
                        "4294967296, 4294967296", "4294967296, 4294967295, 2",
                    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,)}",
                 bad[i]);
        check_refused(text, 8, "address space");
    }
    check_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,)}", 8,
                  "truncated: header says 9223372036854775800 bytes of data, file has 8");
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    char file[1024];
    para__npy npy;
    for (int version = 1; version <= 3; version++) {
        const size_t bytes = compose(
            file, version, "{'descr': '<f8', 'fortran_order': False, 'shape': (100,)}", 800);
        for (size_t cut = 0; cut < bytes; cut++)
            assert_false(parse(&npy, file, cut));
        assert_true(parse(&npy, file, bytes));
    }
    assert_false(parse(&npy, file, 128 + 400));
    assert_string_equal(fault, "truncated: header says 800 bytes of data, file has 400");
    memcpy(file, "\x93NUMPX", 6);
    assert_false(parse(&npy, file, 928));
    assert_string_equal(fault, "not a .npy file");
}

static void bytes_after_the_data_are_left_alone(void **state)
{
    (void)state;
    para__npy npy;
    assert_true(
        parse_dictionary(&npy, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 9));
    assert_int_equal(npy.count, 1);
}

static void data_may_begin_at_any_byte(void **state)
{
    (void)state;
    char file[1024];
    para__npy npy;
    const size_t bytes =
        compose(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 64);
    for (unsigned begin = 82; begin < 100; begin++) {
        file[8] = (char)(begin - 10);
        assert_true(parse(&npy, file, bytes));
        assert_int_equal(npy.data_offset, begin);
    }
}

/* What else comes under the name of an array says what to do with it. */
static void other_formats_are_told_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *says;
    } formats[] = {{"PK\x03\x04", "unzip -p"},
                   {"\x1f\x8b\x08", "gzip -dc"},
                   {"BZh91AY", "bzip2 -dc"},
                   {"\xfd"
                    "7zXZ",
                    "xz -dc"},
                   {"\x89HDF\r\n", "HDF5"},
                   {"1.0,2.0\n", "text"},
                   {"\x80\x04\x95", "pickle"}};
    char file[64] = "";
    para__npy npy;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        snprintf(file, sizeof file, "%s", formats[i].begin);
        assert_false(parse(&npy, file, strlen(file)));
        assert_non_null(strstr(fault, "not a .npy file, but "));
        assert_non_null(strstr(fault, formats[i].says));
    }
    assert_false(parse(&npy, "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12));
    assert_string_equal(fault, "the header has 4294967295 bytes: that is not an array of numbers");
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    char header[PARA__NPY_HEADER_MAX];
    for (unsigned rank = 0; rank <= PARA__NPY_RANK_MAX; rank++) {
        for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
            para__npy npy = {.type = (para_dtype)t, .rank = rank};
            para__npy back;
            for (unsigned d = 0; d < rank; d++)
                npy.shape[d] = d == 0 ? 0 : SIZE_MAX - d; /* the longest numbers, and no data */
            if (rank == 1)
                npy.shape[0] = 7;
            assert_true(para__npy_format(&npy, header));
            assert_int_equal(npy.data_offset % 64, 0);
            char *file = calloc(1, npy.data_offset + npy.count * npy.element_bytes);
            assert_non_null(file);
            memcpy(file, header, npy.data_offset);
            assert_true(parse(&back, file, npy.data_offset + npy.count * npy.element_bytes));
            free(file);
            assert_int_equal(back.type, npy.type);
            assert_int_equal(back.rank, rank);
            assert_int_equal(back.count, npy.count);
            assert_int_equal(back.data_offset, npy.data_offset);
            assert_memory_equal(back.shape, npy.shape, rank * sizeof npy.shape[0]);
        }
    }
}

static void too_many_dimensions_are_refused(void **state)
{
    (void)state;
    char file[PARA__NPY_HEADER_MAX] = "\x93NUMPY\x01";
    para__npy npy;
    int used = 10 + sprintf(file + 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (");
    for (int d = 0; d <= PARA__NPY_RANK_MAX; d++)
        used += sprintf(file + used, "1,");
    used += sprintf(file + used, ")}");
    file[8] = (char)((used - 10) & 255);
    file[9] = (char)((used - 10) >> 8);
    assert_false(parse(&npy, file, (size_t)used));
    assert_string_equal(fault, "more than 64 dimensions");
    assert_false(para__npy_format(
        &(para__npy){.type = PARA_FLOAT64, .rank = 1, .shape = {SIZE_MAX / 8}}, file));
}

/* Whatever the bytes, no crash, and what is accepted lies inside the file. */
static void mutated_files_are_safe(void **state)
{
    (void)state;
    static const char pieces[] = "{}()[],:'\"\\ \n0123456789LTrueFalse<>=|f4f8";
    const char *given = getenv("PARA_TEST_SEED");
    const unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    unsigned accepted = 0;
    printf("seed %u\n", seed);
    srandom(seed);
    for (int round = 0; round < 200000; round++) {
        char file[1024];
        para__npy npy;
        size_t bytes = compose(file, 1 + (int)(random() % 3),
                               "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }", 96);
        for (long i = random() % 4; i >= 0; i--)
            file[random() % 90] =
                random() % 2 ? pieces[(size_t)random() % (sizeof pieces - 1)] : (char)random();
        if (random() % 4 == 0)
            bytes = (size_t)random() % (bytes + 1);
        if (!parse(&npy, file, bytes))
            continue;
        accepted++;
        assert_true(npy.rank <= PARA__NPY_RANK_MAX);
        assert_true(npy.element_bytes == 4 || npy.element_bytes == 8);
        assert_true(npy.data_offset <= bytes);
        assert_true(npy.count <= (bytes - npy.data_offset) / npy.element_bytes);
    }
    assert_true(accepted > 100); /* the mutations leave something to accept */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_versions_are_read),
        cmocka_unit_test(any_spelling_of_the_dictionary_is_read),
        cmocka_unit_test(arrays_without_elements_are_read),
        cmocka_unit_test(other_element_types_are_refused_by_name),
        cmocka_unit_test(a_fault_holds_no_control_characters),
        cmocka_unit_test(fortran_order_is_told_where_it_matters),
        cmocka_unit_test(malformed_dictionaries_are_refused),
        cmocka_unit_test(shapes_beyond_the_address_space_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(bytes_after_the_data_are_left_alone),
        cmocka_unit_test(data_may_begin_at_any_byte),
        cmocka_unit_test(other_formats_are_told_by_name),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(too_many_dimensions_are_refused),
        cmocka_unit_test(mutated_files_are_safe),
    };
    return cmocka_run_group_tests(tests, build_wall, NULL);
}
