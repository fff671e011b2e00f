package multiples

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// samples are scalars at the edges of digits and of the order, and random ones.
func samples(count int) []fr.Element {
	out := []fr.Element{fr.NewElement(0), fr.NewElement(1), fr.NewElement(2), fr.NewElement(65535), fr.NewElement(65536), fr.NewElement(65537)}
	for shift := uint(15); shift < 254; shift += 16 {
		var e fr.Element
		e.SetBigInt(new(big.Int).Lsh(big.NewInt(1), shift))
		out = append(out, e)
	}
	var minus fr.Element
	minus.SetInt64(-1)
	out = append(out, minus)
	for len(out) < count {
		var e fr.Element
		e.MustSetRandom()
		out = append(out, e)
	}
	return out
}

func plain(elements []fr.Element) []Scalar {
	out := make([]Scalar, len(elements))
	for i := range elements {
		out[i] = elements[i].Bits()
	}
	return out
}

func TestMultiplesOfG1AreGnarks(t *testing.T) {
	_, _, generator, _ := bn254.Generators()
	elements := samples(3 * lanes / 2)
	got := make([]Point[fp.Element], len(elements))
	OfG1().Multiply(plain(elements), got)
	for i, want := range bn254.BatchScalarMultiplicationG1(&generator, elements) {
		if bn254.G1Affine(got[i]) != want {
			t.Fatalf("%s times the generator", elements[i].String())
		}
	}
}

func TestMultiplesOfG2AreGnarks(t *testing.T) {
	_, _, _, generator := bn254.Generators()
	elements := samples(3 * lanes / 2)
	got := make([]Point[bn254.E2], len(elements))
	OfG2().Multiply(plain(elements), got)
	for i, want := range bn254.BatchScalarMultiplicationG2(&generator, elements) {
		if bn254.G2Affine(got[i]) != want {
			t.Fatalf("%s times the generator", elements[i].String())
		}
	}
}

func BenchmarkG1(b *testing.B) {
	table := OfG1()
	scalars := plain(samples(1 << 16))
	out := make([]Point[fp.Element], len(scalars))
	for b.Loop() {
		table.Multiply(scalars, out)
	}
}

func BenchmarkG2(b *testing.B) {
	table := OfG2()
	scalars := plain(samples(1 << 16))
	out := make([]Point[bn254.E2], len(scalars))
	for b.Loop() {
		table.Multiply(scalars, out)
	}
}
