#include <stdint.h>

/* In a file of their own, so that no compiler sees their arguments. */
int32_t shift_right(int32_t value, int32_t by);
int64_t shift_right_long(int64_t value, int32_t by);
int64_t multiply_add(int64_t sum, const int32_t *a, const int32_t *b, int count);
uint64_t multiply_add_unsigned(uint64_t sum, const uint32_t *a, const uint32_t *b, int count);
int64_t multiply_sub(int64_t sum, int32_t a, int32_t b);
uint64_t multiply_sub_unsigned(uint64_t sum, uint32_t a, uint32_t b);
int32_t quotient(int32_t a, int32_t b);
