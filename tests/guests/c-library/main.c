/* Computes functions of the library for doubles that it is given, and gives the bits of the results; prints a text about each. */
#include <math.h>
#include <opml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLES(DO) \
  DO(acos) DO(acosh) DO(asin) DO(asinh) DO(atan) DO(atanh) DO(cbrt) DO(ceil) DO(cos) DO(cosh) DO(erf) DO(erfc) DO(exp) DO(exp10) \
  DO(exp2) DO(expm1) DO(fabs) DO(floor) DO(lgamma) DO(log) DO(log10) DO(log1p) DO(log2) DO(logb) DO(rint) DO(round) DO(sin) \
  DO(sinh) DO(sqrt) DO(tan) DO(tanh) DO(tgamma) DO(trunc)

#define FLOATS(DO) \
  DO(acosf) DO(acoshf) DO(asinf) DO(asinhf) DO(atanf) DO(atanhf) DO(cbrtf) DO(ceilf) DO(cosf) DO(coshf) DO(erff) DO(erfcf) \
  DO(expf) DO(exp10f) DO(exp2f) DO(expm1f) DO(fabsf) DO(floorf) DO(lgammaf) DO(logf) DO(log10f) DO(log1pf) DO(log2f) DO(logbf) \
  DO(rintf) DO(roundf) DO(sinf) DO(sinhf) DO(sqrtf) DO(tanf) DO(tanhf) DO(tgammaf) DO(truncf)

static double results[96];
static size_t count;

static void add(double result) { results[count++] = result; }

int main(void) {
  size_t size;
  const double *numbers = (const double *)opml_input_bytes(&size);
  for (size_t i = 0; i < size / sizeof *numbers; i++) {
    double x = numbers[i];
    count = 0;
#define DO(function) add(function(x));
    DOUBLES(DO)
#undef DO
#define DO(function) add((double)function((float)x));
    FLOATS(DO)
#undef DO
    add(pow(fabs(x), 0.3)), add(atan2(x, 2.5)), add(hypot(x, 3.5)), add(fmod(x, 0.7)), add(fma(x, x, -1.5));
    add((double)powf(fabsf((float)x), 0.3f)), add((double)atan2f((float)x, 2.5f)), add((double)fmodf((float)x, 0.7f));
    add(x + 0.1), add(x * 0.1), add(x / 0.3), add(0.1 - x), add((double)((float)x * 0.1f)), add((double)(int)(x / 4));
    opml_output_bytes(results, count * sizeof *results);
    char *text;
    int length = asprintf(&text, "%.17g %e %.3f %a %g|%10.2f|%-+9.1e|\n", x, x, x, x, x, x, x);
    if (length < 0) return 1;
    char *end;
    double again = strtod(text, &end);
    if (memcmp(&again, &x, sizeof x) != 0 || *end != ' ') opml_fail("a number does not come back as it was");
    fputs(text, stdout);
    free(text);
  }
  return 0;
}
