/* How the constants in tuning.h, and in the headers beside it, are declared. The model makes
 * variables of them, to vary them: bench/model/tuning.c. */
#ifndef PARA_BASE_CONSTANT_H
#define PARA_BASE_CONSTANT_H

#ifndef PARA__REAL
#define PARA__REAL(name, value)  static const double name = value;
#define PARA__COUNT(name, value) enum { name = value };
#endif

#endif
