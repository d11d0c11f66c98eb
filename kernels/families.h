/* What the families give to the table. */
#ifndef PARA_KERNELS_FAMILIES_H
#define PARA_KERNELS_FAMILIES_H

#include "kernels/kernels.h"

extern const para_builtin para__copy, para__scale, para__axpy, para__square, para__sqrt;
extern const para_builtin para__exp;
extern const para_builtin para__row_norm;
extern const para_builtin para__sum, para__dot, para__mean;
extern const para_builtin para__min, para__max;

#endif
