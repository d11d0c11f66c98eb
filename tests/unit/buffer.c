/* Buffers: memory, and mapped files. */
#include "../common/child.h"
#include "../common/root.h"

/* ---- Memory -------------------------------------------------------------------------- */

PARA_MAP_KERNEL(next, unsigned char, unsigned char, x, (unsigned char)(x + 1))

static void check_buffer(para_pool *pool, size_t n, size_t element,
                         const para_buffer_config *config)
{
    para_buffer *buffer = NULL;
    OK(para_buffer_create(&buffer, pool, n, element, config));
    assert_non_null(buffer);
    assert_int_equal(para_buffer_bytes(buffer), n * element);
    unsigned char *data = para_buffer_data(buffer);
    assert_true((data == NULL) == (n == 0));
    assert_int_equal((uintptr_t)data % (size_t)sysconf(_SC_PAGESIZE), 0);
    if (n * element >= (size_t)4 << 20)
        assert_int_equal((uintptr_t)data % ((size_t)2 << 20), 0);
    size_t wrong = 0;
    for (size_t i = 0; data && i < n * element; i++)
        wrong += data[i] != 0;
    OK(para_pmap(pool, &(para_map){.kernel = next,
                                   .count = n * element,
                                   .in = {PARA_IN(data)},
                                   .out = {PARA_OUT(data)},
                                   .options.executor = PARA_EXECUTOR_THREADS}));
    for (size_t i = 0; data && i < n * element; i++)
        wrong += data[i] != 1;
    assert_int_equal(wrong, 0);
    para_buffer_destroy(buffer);
}

TEST(zeroed_aligned_and_usable_at_any_size)
{
    static const size_t sizes[] = {0, 1, 2, 100, 4095, 4096, 4097, 65537, 1 << 20};
    static const size_t elements[] = {1, 3, 8};
    static const unsigned pools[] = {1, 2, 5};
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        para_pool *pool = check_pool(pools[p]);
        for (size_t s = 0; s < COUNT_OF(sizes); s++)
            for (size_t e = 0; e < COUNT_OF(elements); e++)
                check_buffer(pool, sizes[s], elements[e], NULL);
        para_pool_destroy(pool);
    }
    check_buffer(NULL, 100000, 8, NULL);
}

TEST(every_placement)
{
    para_cpu_info cpu = {.size = sizeof cpu};
    OK(para_topology_get_cpu(0, &cpu));
    for (int placement = PARA_PLACE_AUTO; placement <= PARA_PLACE_BANDWIDTH; placement++) {
        para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
        config.placement = (para_placement)placement;
        config.node = cpu.numa_node;
        check_buffer(NULL, 100000, 3, &config);
    }
}

TEST(pages_of_every_size)
{
    /* Few machines have reserved pages. Without them the buffer has others, and says so. */
    for (int pages = PARA_PAGES_AUTO; pages <= PARA_PAGES_1G; pages++) {
        para_buffer *buffer = NULL;
        para_buffer_info info = {.size = sizeof info};
        para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
        config.pages = (para_pages)pages;
        check_buffer(NULL, 300000, 8, &config);
        check_buffer(NULL, 0, 8, &config);
        OK(para_buffer_create(&buffer, NULL, 300000, 8, &config));
        OK(para_buffer_get_info(buffer, &info));
        assert_int_equal(info.bytes, 2400000);
        assert_true(info.page_bytes == (size_t)sysconf(_SC_PAGESIZE) ||
                    (pages == PARA_PAGES_2M && info.page_bytes == (size_t)2 << 20) ||
                    (pages == PARA_PAGES_1G && info.page_bytes == (size_t)1 << 30));
        para_buffer_destroy(buffer);
    }
    para_buffer_info info = {.size = sizeof info};
    FAILS(PARA_ERR_ARGUMENT, para_buffer_get_info(NULL, &info));
}

static size_t sum_of(const size_t *bytes_of, size_t nodes)
{
    size_t sum = 0;
    for (size_t n = 0; n < nodes; n++)
        sum += bytes_of[n];
    return sum;
}

/* An array is moved, keeps its contents, and lies somewhere. */
TEST(arrays_are_moved)
{
    enum { N = 100001, NODES = 64 };
    size_t bytes_of[NODES];
    int *const array = malloc(N * sizeof *array);
    assert_non_null(array);
    for (int i = 0; i < N; i++)
        array[i] = i;
    for (int placement = PARA_PLACE_AUTO; placement <= PARA_PLACE_BANDWIDTH; placement++) {
        para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
        para_cpu_info cpu = {.size = sizeof cpu};
        OK(para_topology_get_cpu(0, &cpu));
        config.node = cpu.numa_node;
        config.placement = (para_placement)placement;
        const para_status moved = para_buffer_move(NULL, array, N, sizeof *array, &config);
        assert_true(moved == PARA_OK || moved == PARA_ERR_DENIED || moved == PARA_ERR_UNSUPPORTED);
        const para_status told =
            para_buffer_where(array + 1, sizeof *array * (N - 1), bytes_of, NODES);
        if (told == PARA_OK)
            assert_int_equal(sum_of(bytes_of, NODES), sizeof *array * (N - 1));
        else
            assert_true(told == PARA_ERR_DENIED || told == PARA_ERR_UNSUPPORTED);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(array[i], i);
    free(array);
    OK(para_buffer_move(NULL, NULL, 0, 1, NULL));
}

TEST(arrays_that_cannot_be_moved)
{
    static char array[100];
    size_t bytes_of[2];
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_move(NULL, NULL, 1, 1, NULL));
    FAILS(PARA_ERR_ELEMENT_SIZE, para_buffer_move(NULL, array, 1, 0, NULL));
    FAILS(PARA_ERR_OVERFLOW, para_buffer_move(NULL, array, SIZE_MAX / 2, 3, NULL));
    FAILS(PARA_ERR_OVERFLOW, para_buffer_move(NULL, array, SIZE_MAX, 1, NULL));
    config.pages = PARA_PAGES_2M;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_move(NULL, array, 1, 1, &config));
    config.pages = PARA_PAGES_AUTO;
    config.placement = PARA_PLACE_NODE;
    config.node = 1023;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_move(NULL, array, 1, 1, &config));
    config.size = 0;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_move(NULL, array, 1, 1, &config));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_where(NULL, 1, bytes_of, 2));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_where(array, 1, NULL, 2));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_where(array, SIZE_MAX, bytes_of, 2));
    OK(para_buffer_where(NULL, 0, bytes_of, 2));
    OK(para_buffer_where(NULL, 0, NULL, 0));
    assert_int_equal(sum_of(bytes_of, 2), 0);
}

/* A node without memory, or that is not there. */
TEST(a_node_that_is_not_there)
{
    static const unsigned nodes[] = {1023, 1024, 999999, ~0u};
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        para_buffer *buffer = NULL;
        para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
        config.placement = PARA_PLACE_NODE;
        config.node = nodes[i];
        FAILS(PARA_ERR_ARGUMENT, para_buffer_create(&buffer, NULL, 100000, 3, &config));
        assert_null(buffer);
    }
}

TEST(malformed_requests)
{
    para_buffer *const before = (para_buffer *)root;
    para_buffer *buffer = before;
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_create(NULL, NULL, 1, 1, NULL));
    config.size++;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_create(&buffer, NULL, 1, 1, &config));
    config.size = 0;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_create(&buffer, NULL, 1, 1, &config));
    config = (para_buffer_config)PARA_BUFFER_CONFIG_INIT;
    static const int placements[] = {-1, PARA_PLACE_BANDWIDTH + 1, 1 << 30};
    for (size_t i = 0; i < COUNT_OF(placements); i++) {
        config.placement = (para_placement)placements[i];
        FAILS(PARA_ERR_ARGUMENT, para_buffer_create(&buffer, NULL, 1, 1, &config));
    }
    FAILS(PARA_ERR_ELEMENT_SIZE, para_buffer_create(&buffer, NULL, 5, 0, NULL));
    FAILS(PARA_ERR_ELEMENT_SIZE, para_buffer_create(&buffer, NULL, 0, 0, NULL));
    FAILS(PARA_ERR_OVERFLOW, para_buffer_create(&buffer, NULL, SIZE_MAX, 2, NULL));
    FAILS(PARA_ERR_OVERFLOW, para_buffer_create(&buffer, NULL, SIZE_MAX / 8 + 1, 8, NULL));
    FAILS(PARA_ERR_OVERFLOW, para_buffer_create(&buffer, NULL, 2, SIZE_MAX, NULL));
    assert_ptr_equal(buffer, before);
}

TEST(more_than_there_is)
{
    para_buffer *const before = (para_buffer *)root;
    para_buffer *buffer = before;
    errno = 77;
    FAILS(PARA_ERR_MEMORY, para_buffer_create(&buffer, NULL, (size_t)1 << 58, 8, NULL));
    assert_ptr_equal(buffer, before);
    assert_int_equal(errno, 77);
}

TEST(destroying_none_is_allowed)
{
    para_buffer_destroy(NULL);
}

/* ---- Files --------------------------------------------------------------------------- */

TEST(a_file_is_read)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 1000000};
    unsigned char *bytes = malloc(1000000);
    assert_non_null(bytes);
    for (size_t i = 0; i < 1000000; i++)
        bytes[i] = (unsigned char)check_mix(i);
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        put_bytes("read", bytes, sizes[s]);
        assert_int_equal(chmod(in_root("read"), 0444), 0);
        para_buffer *buffer = NULL;
        errno = 77;
        OK(para_buffer_map_file(&buffer, in_root("read"), PARA_FILE_READ));
        assert_int_equal(errno, 77);
        assert_int_equal(unlink(in_root("read")), 0); /* the mapping does not need the name */
        assert_int_equal(para_buffer_bytes(buffer), sizes[s]);
        assert_memory_equal(para_buffer_data(buffer), bytes, sizes[s]);
        para_buffer_destroy(buffer);
    }
    free(bytes);
}

TEST(a_file_is_written_in_place)
{
    put_bytes("written", "abcdef", 6);
    para_buffer *buffer = NULL;
    OK(para_buffer_map_file(&buffer, in_root("written"), PARA_FILE_WRITE));
    unsigned char *data = para_buffer_data(buffer);
    OK(para_pmap(
        NULL,
        &(para_map){.kernel = next, .count = 6, .in = {PARA_IN(data)}, .out = {PARA_OUT(data)}}));
    para_buffer_destroy(buffer);
    char text[10] = {0};
    FILE *file = fopen(in_root("written"), "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 6);
    fclose(file);
    assert_string_equal(text, "bcdefg");
    unlink(in_root("written"));
}

static void refuses(const char *path)
{
    para_buffer *const before = (para_buffer *)root;
    for (int mode = PARA_FILE_READ; mode <= PARA_FILE_WRITE; mode++) {
        para_buffer *buffer = before;
        errno = 77;
        FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, path, (para_file_mode)mode));
        assert_ptr_equal(buffer, before);
        assert_int_equal(errno, 77);
        assert_ptr_equal(strstr(para_status_detail(), path), para_status_detail());
        assert_true(strlen(para_status_detail()) > strlen(path) + 5); /* and what is wrong */
    }
}

TEST(what_is_not_a_file_with_bytes_is_refused)
{
    refuses(in_root("missing"));
    refuses(in_root("missing/below"));
    refuses("");
    refuses(root);
    refuses("/dev/zero");
    put_bytes("empty", "", 0);
    refuses(in_root("empty"));
    unlink(in_root("empty"));
    assert_int_equal(mkfifo(in_root("pipe"), 0600), 0);
    refuses(in_root("pipe")); /* without waiting for somebody at its other end */
    unlink(in_root("pipe"));
    assert_int_equal(symlink("loop", in_root("loop")), 0);
    refuses(in_root("loop"));
    unlink(in_root("loop"));
}

/* As somebody who is not the superuser, to whom no file is closed. */
TEST(permissions_are_respected)
{
    put_bytes("closed", "x", 1);
    put_bytes("readable", "x", 1);
    assert_int_equal(chmod(in_root("closed"), 0), 0);
    assert_int_equal(chmod(in_root("readable"), 0444), 0);
    const pid_t child = fork();
    if (child == 0) {
        para_buffer *buffer = NULL;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        if (para_buffer_map_file(&buffer, in_root("closed"), PARA_FILE_READ) != PARA_ERR_FILE)
            _exit(2);
        if (para_buffer_map_file(&buffer, in_root("readable"), PARA_FILE_WRITE) != PARA_ERR_FILE)
            _exit(3);
        if (para_buffer_map_file(&buffer, in_root("readable"), PARA_FILE_READ) != PARA_OK)
            _exit(4);
        _exit(0);
    }
    await_success(child);
    unlink(in_root("closed"));
    unlink(in_root("readable"));
}

TEST(malformed_file_requests)
{
    para_buffer *buffer = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_buffer_map_file(NULL, "/etc/passwd", PARA_FILE_READ));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_map_file(&buffer, NULL, PARA_FILE_READ));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_map_file(&buffer, "/etc/passwd", (para_file_mode)2));
    FAILS(PARA_ERR_ARGUMENT, para_buffer_map_file(&buffer, "/etc/passwd", (para_file_mode)-1));
    assert_null(buffer);
}

TEST(no_descriptor_is_left_open)
{
    const int before = dup(STDERR_FILENO);
    close(before);
    put_bytes("some", "x", 1);
    for (int i = 0; i < 10; i++) {
        para_buffer *buffer = NULL;
        OK(para_buffer_map_file(&buffer, in_root("some"), PARA_FILE_WRITE));
        para_buffer_destroy(buffer);
        FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, root, PARA_FILE_READ));
    }
    unlink(in_root("some"));
    const int after = dup(STDERR_FILENO);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_aligned_and_usable_at_any_size),
        cmocka_unit_test(every_placement),
        cmocka_unit_test(a_node_that_is_not_there),
        cmocka_unit_test(pages_of_every_size),
        cmocka_unit_test(arrays_are_moved),
        cmocka_unit_test(arrays_that_cannot_be_moved),
        cmocka_unit_test(malformed_requests),
        cmocka_unit_test(more_than_there_is),
        cmocka_unit_test(destroying_none_is_allowed),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(a_file_is_written_in_place),
        cmocka_unit_test(what_is_not_a_file_with_bytes_is_refused),
        cmocka_unit_test(permissions_are_respected),
        cmocka_unit_test(malformed_file_requests),
        cmocka_unit_test(no_descriptor_is_left_open),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
