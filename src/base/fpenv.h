/* The floating-point environment: control (rounding, flush-to-zero, which exceptions trap) and the
 * flags of exceptions that were raised.
 *
 * A call has its caller's environment, whoever runs it. A participant enters it with no flag
 * raised, tells the caller which flags its kernels have raised, and returns to its own environment
 * with its own flags. para's own arithmetic is kept apart: it never traps, and raises no flag of
 * its caller's. x86-64 has two sets of flags, of SSE and of x87. Flags that are passed on or
 * restored go to SSE's: fetestexcept looks at both, and a flag there never traps later. A flag of
 * x87 does so at the next instruction, if its exception is trapped by then. */
#ifndef PARA_BASE_FPENV_H
#define PARA_BASE_FPENV_H

#include <stdint.h>

/* x86-64: MXCSR, above it the x87 control word. aarch64: FPSR, above it FPCR. */
typedef uint64_t para__fp;

/* Instructions that write are slow, so they are used only if something differs. The memory clobbers
 * keep para's arithmetic between save and restore. */
#if defined(__x86_64__)

#define PARA__FP_FLAGS   0x3fu
#define PARA__FP_DEFAULT ((para__fp)0x037f << 32 | 0x1f80)

static inline uint32_t para__mxcsr(void)
{
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr) : : "memory");
    return mxcsr;
}

static inline void para__mxcsr_set(uint32_t mxcsr)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
}

static inline uint16_t para__x87_control(void)
{
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    return control;
}

static inline uint16_t para__x87_status(void)
{
    uint16_t status;
    __asm__ volatile("fnstsw %0" : "=a"(status));
    return status;
}

/* The environment without flags: what participants enter. */
static inline para__fp para__fp_control(void)
{
    return (para__fp)para__x87_control() << 32 | (para__mxcsr() & ~PARA__FP_FLAGS);
}

/* The flags that are raised. */
static inline unsigned para__fp_flags(void)
{
    const uint16_t status = para__x87_status();
    if (status & 0x80) /* x87 would trap at its next instruction: let it be within the call */
        __asm__ volatile("fwait");
    return (para__mxcsr() | status) & PARA__FP_FLAGS;
}

/* Exchanges the environment, flags included. */
static inline para__fp para__fp_swap(para__fp next)
{
    const uint16_t status = para__x87_status();
    const uint16_t control = para__x87_control();
    const uint32_t mxcsr = para__mxcsr();
    if (status & 0xff) /* first: with the new control a flag may trap */
        __asm__ volatile("fnclex");
    const uint16_t next_control = (uint16_t)(next >> 32);
    if (control != next_control)
        __asm__ volatile("fldcw %0" : : "m"(next_control));
    if (mxcsr != (uint32_t)next)
        para__mxcsr_set((uint32_t)next);
    return (para__fp)control << 32 | mxcsr | (status & PARA__FP_FLAGS);
}

/* Between save and restore the thread computes for para: nothing traps. */
static inline para__fp para__fp_save(void)
{
    static const uint32_t masks = 0x1f80;
    const uint32_t mxcsr = para__mxcsr();
    if ((mxcsr & masks) != masks)
        para__mxcsr_set(mxcsr | masks);
    return mxcsr;
}

/* Restores the environment and raises those flags too, without a trap. */
static inline void para__fp_restore(para__fp held, unsigned flags)
{
    const uint32_t mxcsr = (uint32_t)held | flags;
    if (para__mxcsr() != mxcsr)
        para__mxcsr_set(mxcsr);
}

#elif defined(__aarch64__)

#define PARA__FP_FLAGS   0x9fu
#define PARA__FP_DEFAULT ((para__fp)0)

static inline para__fp para__fp_read(void)
{
    uint64_t control;
    uint64_t status;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(status) : : "memory");
    return control << 32 | (status & UINT32_MAX);
}

static inline void para__fp_write(para__fp now, para__fp next)
{
    const uint64_t control = next >> 32;
    const uint64_t status = next & UINT32_MAX;
    if (now >> 32 != control)
        __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
    if ((now & UINT32_MAX) != status)
        __asm__ volatile("msr fpsr, %0" : : "r"(status) : "memory");
}

static inline para__fp para__fp_control(void)
{
    return para__fp_read() >> 32 << 32;
}

static inline unsigned para__fp_flags(void)
{
    return (unsigned)para__fp_read() & PARA__FP_FLAGS;
}

static inline para__fp para__fp_swap(para__fp next)
{
    const para__fp now = para__fp_read();
    para__fp_write(now, next);
    return now;
}

static inline para__fp para__fp_save(void)
{
    static const para__fp traps = (para__fp)0x9f00 << 32;
    const para__fp now = para__fp_read();
    para__fp_write(now, now & ~traps);
    return now;
}

static inline void para__fp_restore(para__fp held, unsigned flags)
{
    para__fp_write(para__fp_read(), held | flags);
}

#else

#define PARA__FP_FLAGS   0u
#define PARA__FP_DEFAULT ((para__fp)0)

static inline para__fp para__fp_control(void)
{
    return 0;
}

static inline unsigned para__fp_flags(void)
{
    return 0;
}

static inline para__fp para__fp_swap(para__fp next)
{
    return next;
}

static inline para__fp para__fp_save(void)
{
    return 0;
}

static inline void para__fp_restore(para__fp held, unsigned flags)
{
    (void)held;
    (void)flags;
}

#endif
#endif
