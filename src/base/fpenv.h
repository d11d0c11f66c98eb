/* The floating-point control state: rounding, flush-to-zero, exception masks; not the sticky flags.
 * Workers run a call in its caller's, so that a result does not depend on who computed it. */
#ifndef PARA_BASE_FPENV_H
#define PARA_BASE_FPENV_H

#include <stdint.h>

static inline uint64_t para__fp_control(void)
{
#if defined(__x86_64__)
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    const uint32_t mxcsr = __builtin_ia32_stmxcsr() & ~0x3fu; /* without the sticky flags */
    return (uint64_t)x87 << 32 | mxcsr;
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
#else
    return 0;
#endif
}

static inline void para__fp_set_control(uint64_t control)
{
    if (control == para__fp_control())
        return;
#if defined(__x86_64__)
    const uint16_t x87 = (uint16_t)(control >> 32);
    __asm__ volatile("fldcw %0" : : "m"(x87));
    __builtin_ia32_ldmxcsr((uint32_t)control | (__builtin_ia32_stmxcsr() & 0x3fu));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(control));
#endif
}

#endif
