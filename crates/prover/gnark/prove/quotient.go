// Package prove makes Groth16 proofs. The numbers are gnark's Prove; the circuit is let go of once it is solved, the products are
// computed one after the other, and the key stays in its file, so that half of the memory is enough.
package prove

import (
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// quotient gives the coefficients, in bit-reversed order, of (a b - c) / (X^n - 1), where a, b and c are given by their values
// at the constraints. Its memory is a's.
func quotient(a, b, c []fr.Element, size uint64) []fr.Element {
	domain := fft.NewDomain(size, fft.WithoutPrecompute())
	for _, values := range [][]fr.Element{a, b, c} {
		domain.FFTInverse(values, fft.DIF)
		domain.FFT(values, fft.DIT, fft.OnCoset())
	}
	// On the coset u<w> the divisor is the same everywhere: u^n - 1.
	var divisor fr.Element
	one := fr.One()
	divisor.Exp(domain.FrMultiplicativeGen, new(big.Int).SetUint64(domain.Cardinality))
	divisor.Sub(&divisor, &one)
	divisor.Inverse(&divisor)
	inParts(len(a), func(begin, end int) {
		for i := begin; i < end; i++ {
			a[i].Mul(&a[i], &b[i])
			a[i].Sub(&a[i], &c[i])
			a[i].Mul(&a[i], &divisor)
		}
	})
	domain.FFTInverse(a, fft.DIF, fft.OnCoset())
	return a
}

// padded is values with zeros up to size, in memory of its own only where it must.
func padded(values []fr.Element, size uint64) []fr.Element {
	if uint64(cap(values)) >= size {
		count := len(values)
		values = values[:size]
		clear(values[count:])
		return values
	}
	out := make([]fr.Element, size)
	copy(out, values)
	return out
}

func inParts(count int, work func(begin, end int)) {
	const part = 1 << 16
	var group sync.WaitGroup
	for begin := 0; begin < count; begin += part {
		group.Go(func() { work(begin, min(begin+part, count)) })
	}
	group.Wait()
}
