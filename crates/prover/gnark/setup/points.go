package setup

import (
	"bedroll/groth16/multiples"
	"bedroll/groth16/provingkey"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// at reads scalars out of Montgomery form.
func at(elements []fr.Element) func(int) multiples.Scalar {
	return func(i int) multiples.Scalar { return elements[i].Bits() }
}

// put makes the points of an array and writes them, a piece at a time.
func put[T any, C multiples.Coordinate[T]](
	writer *provingkey.Writer, array provingkey.Array, table *multiples.Table[T, C], count int, scalar func(int) multiples.Scalar, report Report,
) error {
	scalars := make([]multiples.Scalar, min(piece, count))
	points := make([]multiples.Point[T], len(scalars))
	defer clear(scalars)
	for begin := 0; begin < count; begin += piece {
		report(names[array], begin, count)
		size := min(piece, count-begin)
		for i := range size {
			scalars[i] = scalar(begin + i)
		}
		table.Multiply(scalars[:size], points[:size])
		if err := provingkey.Put(writer, array, begin, points[:size]); err != nil {
			return err
		}
	}
	return nil
}

var names = map[provingkey.Array]string{provingkey.A: "A", provingkey.B: "B", provingkey.Z: "Z", provingkey.K: "K", provingkey.B2: "B in G2"}

func inG1(table *multiples.G1, elements ...fr.Element) []bn254.G1Affine {
	out := make([]bn254.G1Affine, len(elements))
	for i, point := range few(table, elements) {
		out[i] = bn254.G1Affine(point)
	}
	return out
}

func inG2(table *multiples.G2, elements ...fr.Element) []bn254.G2Affine {
	out := make([]bn254.G2Affine, len(elements))
	for i, point := range few(table, elements) {
		out[i] = bn254.G2Affine(point)
	}
	return out
}

func few[T any, C multiples.Coordinate[T]](table *multiples.Table[T, C], elements []fr.Element) []multiples.Point[T] {
	scalars := make([]multiples.Scalar, len(elements))
	defer clear(scalars)
	for i := range elements {
		scalars[i] = elements[i].Bits()
	}
	points := make([]multiples.Point[T], len(elements))
	table.Multiply(scalars, points)
	return points
}
