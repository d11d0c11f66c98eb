! A program in Fortran: has an array placed, which the pool's threads touch, and reads it back.
program main
    use, intrinsic :: iso_c_binding
    implicit none
    interface
        integer(c_int) function para_buffer_create(buffer, pool, count, element_bytes, config) bind(c)
            import
            type(c_ptr), intent(out) :: buffer
            type(c_ptr), value :: pool, config
            integer(c_size_t), value :: count, element_bytes
        end function
        type(c_ptr) function para_buffer_data(buffer) bind(c)
            import
            type(c_ptr), value :: buffer
        end function
        subroutine para_buffer_destroy(buffer) bind(c)
            import
            type(c_ptr), value :: buffer
        end subroutine
    end interface
    integer(c_size_t), parameter :: n = 1000000
    type(c_ptr) :: buffer
    real(c_double), pointer :: x(:)

    if (para_buffer_create(buffer, c_null_ptr, n, 8_c_size_t, c_null_ptr) /= 0) error stop "not created"
    call c_f_pointer(para_buffer_data(buffer), x, [n])
    if (any(x /= 0)) error stop "not zeroed"
    call para_buffer_destroy(buffer)
    print "(a)", "zeroed"
end program
