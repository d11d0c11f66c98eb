/* What kernels print on worker processes. */
#ifndef PARA_PROCESS_OUTPUT_H
#define PARA_PROCESS_OUTPUT_H

/* In a worker: from now on para__printing_write writes. Not in a sandbox, which lets nobody write
 * to standard output. */
void para__printing_begin(void);

/* Writes what standard output still holds, if it holds anything. Before a worker tells what it has
 * done: so what a kernel prints comes before what the program prints after the call. */
void para__printing_write(void);

#endif
