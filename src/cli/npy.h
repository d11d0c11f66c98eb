/* NumPy's .npy format, versions 1 to 3: a header in Python's syntax, then the elements. Pure
 * functions on bytes; nothing outside the bytes given is read, whatever they hold. The format is
 * NEP 1, and numpy.lib.format in NumPy's manual. */
#ifndef PARA_CLI_NPY_H
#define PARA_CLI_NPY_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

#define PARA__NPY_RANK_MAX   64   /* NumPy's own limit */
#define PARA__NPY_HEADER_MAX 2048 /* room for a header of that rank */
#define PARA__NPY_FAULT_MAX  160

/* An array in a file: rank numbers in shape, count elements in C order from data_offset on. */
typedef struct para__npy {
    para_dtype type;
    unsigned rank;
    size_t shape[PARA__NPY_RANK_MAX];
    size_t count;
    size_t element_bytes;
    size_t data_offset; /* a multiple of element_bytes */
} para__npy;

/* "float32" or "float64", and the bytes of an element. */
const char *para__dtype_name(para_dtype type);
size_t para__dtype_bytes(para_dtype type);

/* Reads the header at the start of a file of so many bytes, and checks that the file has the
 * elements that it promises. Bytes after the elements are left alone, as NumPy does. Returns false
 * and leaves a sentence without a file name in fault if the file is malformed or its array is not
 * one of float32 or float64 in C order; *npy is then undefined. */
bool para__npy_parse(para__npy *npy, const void *file, size_t bytes,
                     char fault[PARA__NPY_FAULT_MAX]);

/* Fills in count, element_bytes and data_offset from the other members and writes a header of
 * data_offset bytes that says so. Returns false if the array exceeds the address space. */
bool para__npy_format(para__npy *npy, char header[PARA__NPY_HEADER_MAX]);

#endif
