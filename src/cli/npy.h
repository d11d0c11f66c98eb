/* NumPy's .npy format, versions 1 to 3: a header in Python's syntax, then the elements. Pure
 * functions on bytes; nothing outside the bytes given is read, whatever they hold. The format is
 * NEP 1, and numpy.lib.format in NumPy's manual. */
#ifndef PARA_CLI_NPY_H
#define PARA_CLI_NPY_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

#define PARA__NPY_RANK_MAX   64   /* NumPy's own limit */
#define PARA__NPY_HEADER_MAX 2048 /* room for a header that is written, of that rank */
#define PARA__NPY_PREFIX_MAX 12   /* bytes that tell how long a header is */
#define PARA__NPY_FAULT_MAX  240

/* An array in a file: rank numbers in shape, count elements from data_offset on. */
typedef struct para__npy {
    para_dtype type;
    bool fortran; /* the first index runs fastest; false where that makes no difference */
    unsigned rank;
    size_t shape[PARA__NPY_RANK_MAX];
    size_t count;
    size_t element_bytes;
    size_t data_offset; /* any number: not every writer aligns the elements */
} para__npy;

/* "float32" or "float64", and the bytes of an element. */
const char *para__dtype_name(para_dtype type);
size_t para__dtype_bytes(para_dtype type);

/* All functions that follow return false or 0 for what is malformed or not supported, and leave a
 * sentence without a file name in fault; *npy is then undefined. */

/* How many bytes the header has, by the first bytes of a file: PARA__NPY_PREFIX_MAX or more, or all
 * that there are. */
size_t para__npy_header_bytes(const void *file, size_t bytes, char fault[PARA__NPY_FAULT_MAX]);

/* Reads a header of that many bytes. */
bool para__npy_parse_header(para__npy *npy, const void *header, size_t bytes,
                            char fault[PARA__NPY_FAULT_MAX]);

/* Reads the header at the start of a file of that many bytes, and checks that the file has the
 * elements that it promises. Bytes after the elements are left alone, as NumPy does. */
bool para__npy_parse(para__npy *npy, const void *file, size_t bytes,
                     char fault[PARA__NPY_FAULT_MAX]);

/* Checks that there are as many bytes of data as the header promises. */
bool para__npy_check_data(const para__npy *npy, size_t bytes, char fault[PARA__NPY_FAULT_MAX]);

/* Fills in count, element_bytes and data_offset from the other members and writes a header of
 * data_offset bytes that says so, in C order. Returns false if the array exceeds the address
 * space. */
bool para__npy_format(para__npy *npy, char header[PARA__NPY_HEADER_MAX]);

#endif
