// Package provingkey writes and maps a Groth16 proving key in gnark's dump format (ProvingKey.WriteDump), the form in which the
// ceremony's key is published: a short header, then five arrays of points as they lie in memory. Neither side holds an array in
// memory of its own: writers fill the file piece by piece, and the prover reads it through a mapping, which the kernel may drop.
package provingkey

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

const (
	g1Bytes     = int64(unsafe.Sizeof(bn254.G1Affine{}))
	g2Bytes     = int64(unsafe.Sizeof(bn254.G2Affine{}))
	countBytes  = 8
	domainBytes = 8 + 5*32 + 1
	maxWires    = 1 << 27
)

// Array names one of the five arrays, in the file's order.
type Array int

// The arrays: A, B and K have a point for each wire that is not at infinity, Z one for each power but the last, B2 is B in G2.
const (
	A Array = iota
	B
	Z
	K
	B2
	arrays
)

func (a Array) size() int64 {
	if a == B2 {
		return g2Bytes
	}
	return g1Bytes
}

// Layout says where each array's points begin.
type Layout struct {
	Counts [arrays]int
	Offset [arrays]int64
	Size   int64
}

func newLayout(header int64, counts [arrays]int) Layout {
	layout := Layout{Counts: counts, Size: header}
	for array, count := range counts {
		layout.Offset[array] = layout.Size + countBytes
		layout.Size = layout.Offset[array] + int64(count)*Array(array).size()
	}
	return layout
}

// head encodes everything before the arrays: gnark's own dump of a key whose arrays are empty, less their five counts.
func head(key *groth16.ProvingKey) ([]byte, error) {
	bare := *key
	bare.G1.A, bare.G1.B, bare.G1.Z, bare.G1.K, bare.G2.B = nil, nil, nil, nil, nil
	var buffer bytes.Buffer
	if err := bare.WriteDump(&buffer); err != nil {
		return nil, err
	}
	return buffer.Bytes()[:buffer.Len()-int(arrays)*countBytes], nil
}

// parseHead reads what stands before the arrays, and says how long it is. The FFT domain is left out but for its size.
func parseHead(file []byte) (*groth16.ProvingKey, int64, error) {
	const fixed = 8 + domainBytes
	if len(file) < fixed || binary.LittleEndian.Uint64(file) != 0xdeadbeef {
		return nil, 0, fmt.Errorf("not a proving key in gnark's dump format: it begins with %x", file[:min(8, len(file))])
	}
	key := &groth16.ProvingKey{Domain: fft.Domain{Cardinality: binary.BigEndian.Uint64(file[8:])}}
	decoder := bn254.NewDecoder(bytes.NewReader(file[fixed:]))
	var wires uint64
	var commitments uint32
	for _, field := range []any{
		&key.G1.Alpha, &key.G1.Beta, &key.G1.Delta, &key.G2.Beta, &key.G2.Delta, &wires, &key.NbInfinityA, &key.NbInfinityB,
	} {
		if err := decoder.Decode(field); err != nil {
			return nil, 0, fmt.Errorf("proving key's header: %w", err)
		}
	}
	if wires > maxWires || key.NbInfinityA > wires || key.NbInfinityB > wires {
		return nil, 0, fmt.Errorf("proving key for %d wires (%d and %d at infinity); the limit is %d", wires, key.NbInfinityA, key.NbInfinityB, maxWires)
	}
	key.InfinityA, key.InfinityB = make([]bool, wires), make([]bool, wires)
	for _, field := range []any{&key.InfinityA, &key.InfinityB, &commitments} {
		if err := decoder.Decode(field); err != nil {
			return nil, 0, fmt.Errorf("proving key's header: %w", err)
		}
	}
	if commitments != 0 {
		return nil, 0, fmt.Errorf("proving key has %d commitments; the circuit has none", commitments)
	}
	return key, fixed + decoder.BytesRead(), nil
}
