#include "shifts.h"

int32_t shift_right(int32_t value, int32_t by) { return value >> by; }
int64_t shift_right_long(int64_t value, int32_t by) { return value >> by; }

int64_t multiply_add(int64_t sum, const int32_t *a, const int32_t *b, int count) {
  for (int i = 0; i < count; i++) sum += (int64_t)a[i] * b[i];
  return sum;
}

uint64_t multiply_add_unsigned(uint64_t sum, const uint32_t *a, const uint32_t *b, int count) {
  for (int i = 0; i < count; i++) sum += (uint64_t)a[i] * b[i];
  return sum;
}

int64_t multiply_sub(int64_t sum, int32_t a, int32_t b) { return sum - (int64_t)a * b; }
uint64_t multiply_sub_unsigned(uint64_t sum, uint32_t a, uint32_t b) { return sum - (uint64_t)a * b; }
int32_t quotient(int32_t a, int32_t b) { return a / b; }
