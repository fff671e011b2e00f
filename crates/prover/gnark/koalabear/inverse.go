// Package koalabear inverts in KoalaBear and in its extension X^4 = 3.
//
// The circuit asks for inverses as hints, which it then checks. The published module takes them from the prover by cgo; the build
// lays this file over it instead, so that the driver is plain Go.
package koalabear

const (
	prime     = 2130706433
	nonSquare = 3
)

func product(a, b uint64) uint64 { return a * b % prime }

func difference(a, b uint64) uint64 { return (a + prime - b) % prime }

// inverse is a^(p-2); that of 0 is 0, which the circuit refuses.
func inverse(a uint64) uint64 {
	result := uint64(1)
	for exponent := uint64(prime - 2); exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			result = product(result, a)
		}
		a = product(a, a)
	}
	return result
}

// quadratic is a number c0 + c1 Y with Y^2 = 3.
type quadratic [2]uint64

func (a quadratic) times(b quadratic) quadratic {
	return quadratic{
		(product(a[0], b[0]) + nonSquare*product(a[1], b[1])) % prime,
		(product(a[0], b[1]) + product(a[1], b[0])) % prime,
	}
}

func (a quadratic) inverse() quadratic {
	norm := inverse(difference(product(a[0], a[0]), nonSquare*product(a[1], a[1])%prime))
	return quadratic{product(a[0], norm), product(difference(0, a[1]), norm)}
}

// extensionInverse is coefficient i of 1 / (a + b X + c X^2 + d X^3). With Y = X^2 and the number as e + f X, e = a + c Y and
// f = b + d Y, it is (e - f X) / (e^2 - Y f^2).
func extensionInverse(a, b, c, d uint64, i int) uint64 {
	e, f := quadratic{a, c}, quadratic{b, d}
	square, other := e.times(e), f.times(f)
	norm := quadratic{difference(square[0], nonSquare*other[1]%prime), difference(square[1], other[0])}.inverse()
	e = e.times(norm)
	f = quadratic{difference(0, f[0]), difference(0, f[1])}.times(norm)
	return [4]uint64{e[0], f[0], e[1], f[1]}[i]
}
