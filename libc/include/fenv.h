/* Rounding is to nearest, and there are no exceptions to ask for. */
#ifndef OPML_LIBC_FENV_H
#define OPML_LIBC_FENV_H

#define FE_ALL_EXCEPT 0
#define FE_TONEAREST 0

typedef unsigned fenv_t;
typedef unsigned fexcept_t;
#define FE_DFL_ENV ((const fenv_t *)0)

static inline int feclearexcept(int which) { return which; }
static inline int fegetround(void) { return FE_TONEAREST; }
static inline int feraiseexcept(int which) { return which; }
static inline int fesetround(int mode) { return mode != FE_TONEAREST; }
static inline int fetestexcept(int which) { return which & FE_ALL_EXCEPT; }

#endif
