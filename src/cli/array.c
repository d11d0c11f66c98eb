#include "cli/array.h"

#include "cli/ending.h"
#include "cli/say.h"

int para__array_open(para__array *array, const char *path)
{
    char fault[PARA__NPY_FAULT_MAX];
    *array = (para__array){.path = path};
    const para_status status = para_buffer_map_file(&array->buffer, path, PARA_FILE_READ);
    if (status)
        return para__say_status(status);
    para__ending_watch_input(path, para_buffer_data(array->buffer),
                             para_buffer_bytes(array->buffer));
    if (!para__npy_parse(&array->npy, para_buffer_data(array->buffer),
                         para_buffer_bytes(array->buffer), fault)) {
        para__array_close(array);
        return para__say_failed("%s: %s", path, fault);
    }
    array->data = (char *)para_buffer_data(array->buffer) + array->npy.data_offset;
    return 0;
}

void para__array_close(para__array *array)
{
    if (array->buffer)
        para__ending_forget_input(para_buffer_data(array->buffer));
    para_buffer_destroy(array->buffer);
    array->buffer = NULL;
}
