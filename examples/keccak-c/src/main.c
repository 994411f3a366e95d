/* The keccak256 of the request's bytes, by plain C; opml_keccak256 has to say the same. */
#include <assert.h>
#include <opml.h>
#include <stdio.h>
#include <string.h>

#include "keccak.h"

int main(void) {
  size_t size;
  const uint8_t *data = opml_input_bytes(&size);
  uint8_t hash[32], other[32];
  keccak256(data, size, hash);
  opml_keccak256(data, size, other);
  assert(memcmp(hash, other, sizeof hash) == 0);
  for (size_t i = 0; i < sizeof hash; i++) printf("%02x", hash[i]);
  printf("\n");
  opml_output_bytes(hash, sizeof hash);
  return 0;
}
