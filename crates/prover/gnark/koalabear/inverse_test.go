package koalabear

import (
	"math/rand/v2"
	"testing"
)

func TestInverses(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		a := 1 + source.Uint64N(prime-1)
		if product(a, inverse(a)) != 1 {
			t.Fatalf("1/%d", a)
		}
	}
	if inverse(0) != 0 {
		t.Fatal("1/0")
	}
}

func TestExtensionInverses(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	for round := range 1000 {
		var x, y [4]uint64
		for i := range x {
			if round >= 4 || i == round {
				x[i] = source.Uint64N(prime)
			}
		}
		for i := range y {
			y[i] = extensionInverse(x[0], x[1], x[2], x[3], i)
		}
		var result [7]uint64
		for i := range x {
			for j := range y {
				result[i+j] = (result[i+j] + product(x[i], y[j])) % prime
			}
		}
		for i := 4; i < 7; i++ {
			result[i-4] = (result[i-4] + nonSquare*result[i]) % prime
		}
		if [4]uint64(result[:4]) != [4]uint64{1} {
			t.Fatalf("1/%v", x)
		}
	}
}
