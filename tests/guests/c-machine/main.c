/* What a compiler could get wrong on this machine. The first byte of the request says what is tried; what fails, fails the program. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <opml.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shifts.h"

#if LIMIT != 7 || !defined(VERBOSE) || defined(QUIET)
#error "the macros of opml.toml"
#endif

static_assert(sizeof(long) == 4 && sizeof(void *) == 4 && sizeof(long double) == 8 && CHAR_BIT == 8, "the machine");

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void arithmetic(void) {
  const int32_t values[] = {0, 1, -1, 12345, -12345, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    int32_t x = values[i];
    for (int by = 0; by < 32; by++) {
      /* Rounded down, by division: without the shift that is tried. */
      int64_t unit = INT64_C(1) << by;
      assert(shift_right(x, by) == (x - ((x % unit) + unit) % unit) / unit);
      assert(shift_right_long((int64_t)x << 20, by + 20) == shift_right(x, by));
      assert(shift_right_long((int64_t)x << 31, by + 31) == shift_right(x, by));
    }
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
      int32_t y = values[k];
      /* Halves, so that no product is larger than 64 bits and no sum is needed. */
      int64_t product = (int64_t)(x >> 16) * y * 65536 + (int64_t)(x & 0xffff) * y;
      assert(multiply_add(5, &x, &y, 1) == (int64_t)((uint64_t)product + 5));
      assert(multiply_sub(-7, x, y) == (int64_t)((uint64_t)-7 - (uint64_t)product));
      uint64_t whole = (uint64_t)((uint32_t)x >> 16) * (uint32_t)y * 65536 + (uint64_t)((uint32_t)x & 0xffff) * (uint32_t)y;
      assert(multiply_add_unsigned(UINT64_MAX, (uint32_t *)&x, (uint32_t *)&y, 1) == whole - 1);
      assert(multiply_sub_unsigned(9, (uint32_t)x, (uint32_t)y) == 9 - whole);
    }
  }
  int32_t a[] = {1, -2, 3, -4}, b[] = {INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN};
  assert(multiply_add(0, a, b, 4) == 4 * (int64_t)INT32_MAX - 6 * (int64_t)INT32_MIN);
  assert(quotient(-7, 2) == -3 && quotient(INT_MAX, -1) == -INT_MAX);
}

static void library(void) {
  div_t d = div(-17, 5);
  lldiv_t e = lldiv(INT64_C(-17000000000), 5);
  assert(d.quot == -3 && d.rem == -2 && e.quot == INT64_C(-3400000000) && e.rem == 0);
  int values[] = {5, -3, 9, 1, 7, 1};
  qsort(values, 6, sizeof *values, by_value);
  for (int i = 0; i < 5; i++) assert(values[i] <= values[i + 1]);
  int key = 7, *found = bsearch(&key, values, 6, sizeof *values, by_value);
  assert(found && *found == 7);
  char room[64];
  assert(snprintf(room, 5, "%d", 1234567) == 7 && strcmp(room, "1234") == 0);
  assert(sprintf(room, "%s %c %5.2f %" PRId64 " %08" PRIx32 " %lu %p", GREETING, 'x', 3.14159, INT64_MIN, (uint32_t)48879, 7ul,
                 (void *)0x10) == 50);
  assert(strcmp(room, "hello x  3.14 -9223372036854775808 0000beef 7 0x10") == 0);
  double whole, fraction = modf(-2.75, &whole);
  int exponent, quotient;
  assert(fraction == -0.75 && whole == -2 && frexp(12, &exponent) == 0.75 && exponent == 4);
  assert(remquo(7, 2, &quotient) == -1 && (quotient & 7) == 4 && lrint(2.5) == 2 && lround(-2.5) == -3 && llround(1e12) == 1000000000000);
  assert(isnan(NAN) && isinf(-INFINITY) && !isfinite(INFINITY) && signbit(-0.0) && fpclassify(DBL_MIN / 2) == FP_SUBNORMAL);
  assert(fegetround() == FE_TONEAREST && isdigit('7') && toupper('a') == 'A');
  errno = 0;
  assert(strtol("99999999999", NULL, 10) == LONG_MAX && errno == ERANGE);
  char *copy = strdup("a,b,,c"), *state, *token = strtok_r(copy, ",", &state);
  int tokens = 0;
  for (; token; token = strtok_r(NULL, ",", &state)) tokens++;
  assert(tokens == 3);
  free(copy);
  void *blocks[100];
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 100; i++) blocks[i] = memset(malloc(10000), i, 10000);
    for (int i = 0; i < 100; i++) assert(((unsigned char *)blocks[i])[9999] == i), free(blocks[i]);
  }
  /* Volatile: a compiler may take it that a block nobody uses was there. */
  void *volatile huge = malloc(SIZE_MAX / 2);
  assert(huge == NULL && errno == ENOMEM);
}

/* The same argument known to the compiler and not. */
static void constants(void) {
  volatile double x = 0.7;
  volatile float y = 0.7f;
  assert(sin(0.7) == sin(x) && exp(0.7) == exp(x) && pow(0.7, 0.7) == pow(x, x) && log(0.7) == log(x) && tgamma(0.7) == tgamma(x));
  assert(sinf(0.7f) == sinf(y) && expf(0.7f) == expf(y) && powf(0.7f, 0.7f) == powf(y, y) && tanhf(0.7f) == tanhf(y));
  assert(0.7 * 0.3 == x * 0.3 && (float)0.1 == (float)(x / 7) && sqrt(0.7) == sqrt(x));
}

int main(void) {
  size_t size;
  const uint8_t *what = opml_input_bytes(&size);
  int zero = size == 1 ? 0 : 1;
  switch (size ? what[0] : 0) {
    case 'a': arithmetic(); library(); constants(); break;
    case 'd': return quotient(1000, zero);
    case 'f': assert(zero == 1); break;
    case 'n': printf("%d %n", 1, (int *)what); break;
    case 'r': return 3;
    case 'x': abort();
    case 't': __builtin_trap();
    case 'i': opml_input(5); break;
    case 'o': opml_output(77, 0, NULL, what); break;
    default: opml_fail("no such test");
  }
  uint8_t context[32];
  opml_context(context);
  printf("step %" PRIu64 ", domain %" PRIu64 ", context %02x\n", opml_step_index(), opml_domain(), context[31]);
  fprintf(stderr, "%s\n", GREETING);
  int32_t numbers[] = {-1, 2, -3};
  uint32_t shape[] = {1, 3};
  opml_output(OPML_INT32, 2, shape, numbers);
  exit(0);
}
