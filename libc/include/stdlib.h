/* Memory, numbers out of text, sorting, random numbers, the end of a program. */
#ifndef OPML_LIBC_STDLIB_H
#define OPML_LIBC_STDLIB_H

#include <stddef.h>

#define EXIT_FAILURE 1
#define EXIT_SUCCESS 0
#define RAND_MAX 32767

typedef struct {
  int quot, rem;
} div_t;
typedef struct {
  long quot, rem;
} ldiv_t;
typedef struct {
  long long quot, rem;
} lldiv_t;

_Noreturn void _Exit(int code);
_Noreturn void abort(void);
int abs(int x);
void *aligned_alloc(size_t align, size_t size) __attribute__((malloc));
int atexit(void (*function)(void));
double atof(const char *text);
int atoi(const char *text);
long atol(const char *text);
long long atoll(const char *text);
void *bsearch(const void *key, const void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *calloc(size_t count, size_t size) __attribute__((malloc));
div_t div(int a, int b);
/* 0 sends the outputs and compares them with the claim; any other code says that the program could not compute. */
_Noreturn void exit(int code);
void free(void *block);
long labs(long x);
ldiv_t ldiv(long a, long b);
long long llabs(long long x);
lldiv_t lldiv(long long a, long long b);
void *malloc(size_t size) __attribute__((malloc));
int posix_memalign(void **place, size_t align, size_t size);
/* Elements that compare as equal stay in their order. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
/* x = 1103515245 x + 12345 modulo 2^32, of which bits 16 to 30 are the number; x is 1 at first. */
int rand(void);
int rand_r(unsigned *state);
void *realloc(void *block, size_t size);
void srand(unsigned seed);
double strtod(const char *restrict text, char **restrict end);
float strtof(const char *restrict text, char **restrict end);
long strtol(const char *restrict text, char **restrict end, int base);
long double strtold(const char *restrict text, char **restrict end);
long long strtoll(const char *restrict text, char **restrict end, int base);
unsigned long strtoul(const char *restrict text, char **restrict end, int base);
unsigned long long strtoull(const char *restrict text, char **restrict end, int base);

#endif
