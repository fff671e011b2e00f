package multiples

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// G1 and G2 are the tables of BN254's two groups.
type (
	G1 = Table[fp.Element, *fp.Element]
	G2 = Table[bn254.E2, *bn254.E2]
)

// OfG1 builds the table of the first group's generator.
func OfG1() *G1 {
	_, _, generator, _ := bn254.Generators()
	return New[fp.Element, *fp.Element](Point[fp.Element](generator), func(p Point[fp.Element]) Point[fp.Element] {
		point := bn254.G1Affine(p)
		return Point[fp.Element](*point.Double(&point))
	})
}

// OfG2 builds the table of the second group's generator.
func OfG2() *G2 {
	_, _, _, generator := bn254.Generators()
	return New[bn254.E2, *bn254.E2](Point[bn254.E2](generator), func(p Point[bn254.E2]) Point[bn254.E2] {
		point := bn254.G2Affine(p)
		return Point[bn254.E2](*point.Double(&point))
	})
}
