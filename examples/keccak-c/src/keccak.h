#ifndef KECCAK_H
#define KECCAK_H

#include <stddef.h>
#include <stdint.h>

/* keccak256 as Ethereum has it: the padding is that of the submission, not that of SHA-3. */
void keccak256(const uint8_t *data, size_t size, uint8_t hash[32]);

#endif
