/* Descriptors that para keeps are none of the standard streams', though these be closed. */
#include "../common/check.h"
#include "../common/child.h"

#include "base/descriptor.h"
#include "base/signal_fd.h"

static void keep_some(void)
{
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    const int told = para__signal_fd_make();
    CHECK(told > STDERR_FILENO);
    CHECK(fcntl(told, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) == -1 && fcntl(STDERR_FILENO, F_GETFD) == -1);
    errno = ENOENT;
    CHECK(para__descriptor_keep(-1) == -1 && errno == ENOENT);
    para__signal_fd_drop(told);
}

TEST(standard_streams_stay_closed)
{
    run_in_child(keep_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(standard_streams_stay_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
