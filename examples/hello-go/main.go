// Prints a greeting and the input of the request.
package main

import (
	"fmt"
	"io"
	"os"
)

// The preimage oracle, as the guest ABI has it: keys are written to one descriptor, and preimages are read from another,
// each behind its length.
var (
	preimages = os.NewFile(5, "preimages")
	keys      = os.NewFile(6, "keys")
)

// preimage asks for the preimage of a key. A read or write of the oracle goes to the end of a word at most, which
// io.ReadFull and Write go on from.
func preimage(key [32]byte) []byte {
	if _, err := keys.Write(key[:]); err != nil {
		panic(err)
	}
	var length [8]byte
	if _, err := io.ReadFull(preimages, length[:]); err != nil {
		panic(err)
	}
	size := 0
	for _, digit := range length {
		size = size<<8 | int(digit)
	}
	bytes := make([]byte, size)
	if _, err := io.ReadFull(preimages, bytes); err != nil {
		panic(err)
	}
	return bytes
}

func main() {
	// Local value 2 is the keccak256 of the input; as a key it begins with 2 in place of its first byte.
	root := [32]byte{0: 1, 31: 2}
	copy(root[:], preimage(root))
	root[0] = 2
	blob := preimage(root)
	// A blob of one tensor of bytes: number of tensors, type, number of dimensions, and the one dimension, then the bytes and
	// zeros up to a whole word.
	size := int(blob[8])<<24 | int(blob[9])<<16 | int(blob[10])<<8 | int(blob[11])
	input := blob[12 : 12+size]
	fmt.Printf("Hello from Go: the input has %d bytes, %q\n", size, input)
}
