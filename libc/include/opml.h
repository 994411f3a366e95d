/* What a guest is for: it takes tensors, computes, and gives tensors. Link nothing, include this.
 *
 * A program is `int main(void)`. When it returns 0, or calls exit(0), its outputs are sent to the host, and their hash is
 * compared with the one that is claimed: the VM's exit code is 0 if they are equal and 1 if not. Any other result of main, exit() or abort(), a
 * failed assert() and a division by zero say that the program could not compute: the exit code is 2, and nobody's claim is confirmed.
 *
 * The machine: MIPS32, big-endian, 32-bit int, long and pointers, no floating-point unit. float and double have IEEE 754 arithmetic, each operation
 * rounded once, to the same bits on every machine; long double is double. There is one thread, no file, no clock, and nothing to read but
 * the request. The heap has what the image leaves of the memory, the stack 1 MiB.
 */
#ifndef OPML_H
#define OPML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Types of elements, numbered as in ONNX. */
#define OPML_FLOAT32 1
#define OPML_UINT8 2
#define OPML_INT8 3
#define OPML_INT32 6
#define OPML_INT64 7
#define OPML_BOOL 9 /* a byte, 0 or 1 */

/* The most dimensions of a tensor. */
#define OPML_MAX_RANK 8

/* A tensor of the request. What the pointers point to stays until the program ends. */
typedef struct {
  uint32_t dtype;        /* one of the numbers above */
  uint32_t rank;         /* how many dimensions */
  const uint32_t *shape; /* the dimensions, outermost first */
  size_t count;          /* how many elements: the product of the dimensions */
  size_t size;           /* how many bytes they take */
  const void *data;      /* the elements, row-major, aligned for their type and in the byte order of the machine */
} opml_tensor;

/* ---- input: the request's tensors, read at the first call. A request that is no blob of tensors ends the program with 2. */

/* How many tensors there are. */
size_t opml_input_count(void);

/* Tensor `index`, from 0. Ends the program with 2 if there is none. */
opml_tensor opml_input(size_t index);

/* The elements of tensor `index`. Ends the program with 2 if it does not have this type and `count` elements; its dimensions are not looked at. */
const void *opml_input_data(size_t index, uint32_t dtype, size_t count);

/* The bytes of a request that is one uint8 tensor; `size` gets how many. Ends the program with 2 if the request is another. */
const uint8_t *opml_input_bytes(size_t *size);

/* ---- output: tensors are copied, in the order of the calls, and sent when the program ends. */

/* A tensor of `rank` dimensions and as many elements as they say. Ends the program with 2 if `dtype` is none of the above or `rank` too high. */
void opml_output(uint32_t dtype, uint32_t rank, const uint32_t *shape, const void *data);

/* A tensor of uint8 with one dimension. */
void opml_output_bytes(const void *data, size_t size);

/* ---- end */

/* exit(0) of <stdlib.h> sends the outputs and ends the program, as `return 0` in main does. */

/* Writes "error: ", the message and a line end to standard error, and ends the program with 2. */
_Noreturn void opml_fail(const char *message);

/* ---- memory: malloc, calloc, realloc, aligned_alloc and free of <stdlib.h>; Rust in the same guest shares their heap.
 * ---- print:  printf and its kin of <stdio.h>, to standard output and standard error, which the host shows. */

/* ---- the rest of the request */

/* keccak256 of bytes, as Ethereum has it. */
void opml_keccak256(const void *data, size_t size, uint8_t hash[32]);

/* Which of its computations a program of several runs; 1 for a single one. */
uint64_t opml_step_index(void);

/* Domain of the request (in the OP Stack: the chain's number). */
uint64_t opml_domain(void);

/* Context of the request, 32 bytes (in the OP Stack: the L1 head's hash). */
void opml_context(uint8_t context[32]);

#ifdef __cplusplus
}
#endif

#endif
