/* A failed assertion prints what it was and ends the program with 2. It prints no line: a comment above it would be another program. */
#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#define assert(expression) ((expression) ? (void)0 : __assert_fail(#expression, __FILE__, __func__))
#endif

#ifndef OPML_LIBC_ASSERT_H
#define OPML_LIBC_ASSERT_H

_Noreturn void __assert_fail(const char *expression, const char *file, const char *function);
#ifndef __cplusplus
#define static_assert _Static_assert
#endif

#endif
