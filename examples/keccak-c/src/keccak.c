/* Keccak-f[1600] after its definition (Bertoni, Daemen, Peeters, Van Assche, The Keccak reference, 2011). */
#include "keccak.h"

#include <string.h>

/* Constants of step iota: the bits of a shift register, worked out once by its rule. */
static uint64_t round_constant(int round) {
  uint64_t constant = 0;
  for (int j = 0; j <= 6; j++) {
    uint8_t state = 1;
    for (int t = 0; t < (7 * round + j) % 255; t++) state = (uint8_t)(state << 1 ^ (state & 0x80 ? 0x71 : 0));
    if (state & 1) constant |= UINT64_C(1) << ((1 << j) - 1);
  }
  return constant;
}

static uint64_t rotate(uint64_t lane, unsigned by) { return by ? lane << by | lane >> (64 - by) : lane; }

static void permute(uint64_t lanes[25], const uint64_t constants[24]) {
  for (int round = 0; round < 24; round++) {
    uint64_t parity[5], moved[25];
    for (int x = 0; x < 5; x++) parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
    for (int i = 0; i < 25; i++) lanes[i] ^= parity[(i + 4) % 5] ^ rotate(parity[(i + 1) % 5], 1);
    /* Steps rho and pi: lane (x, y) turns by the triangular numbers and moves to (y, 2x + 3y). */
    moved[0] = lanes[0];
    for (int x = 1, y = 0, t = 0; t < 24; t++) {
      int to_y = (2 * x + 3 * y) % 5;
      moved[y + 5 * to_y] = rotate(lanes[x + 5 * y], (unsigned)((t + 1) * (t + 2) / 2 % 64));
      x = y;
      y = to_y;
    }
    for (int i = 0; i < 25; i++) {
      int row = i / 5 * 5;
      lanes[i] = moved[i] ^ (~moved[row + (i + 1) % 5] & moved[row + (i + 2) % 5]);
    }
    lanes[0] ^= constants[round];
  }
}

/* Lanes are little-endian, whatever the machine is. */
static void absorb(uint64_t lanes[25], const uint8_t *block) {
  for (int i = 0; i < RATE; i++) lanes[i / 8] ^= (uint64_t)block[i] << 8 * (i % 8);
}

void keccak256(const uint8_t *data, size_t size, uint8_t hash[32]) {
  uint64_t lanes[25] = {0}, constants[24];
  uint8_t last[RATE] = {0};
  for (int round = 0; round < 24; round++) constants[round] = round_constant(round);
  for (; size >= RATE; data += RATE, size -= RATE) {
    absorb(lanes, data);
    permute(lanes, constants);
  }
  memcpy(last, data, size);
  last[size] = 0x01;
  last[RATE - 1] |= 0x80;
  absorb(lanes, last);
  permute(lanes, constants);
  for (int i = 0; i < 32; i++) hash[i] = (uint8_t)(lanes[i / 8] >> 8 * (i % 8));
}
