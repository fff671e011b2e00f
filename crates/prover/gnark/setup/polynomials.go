package setup

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark/constraint"
	r1cs "github.com/consensys/gnark/constraint/bn254"
)

// block is how many Lagrange values share one inversion.
const block = 1 << 14

// lagrange walks the Lagrange polynomials of a domain, evaluated at t: L_i = (t^n - 1) / n * w^i / (t - w^i).
type lagrange struct {
	t, generator, scale, power fr.Element
	values                     []fr.Element
	at                         int
}

func newLagrange(domain *fft.Domain, t fr.Element) *lagrange {
	l := &lagrange{t: t, generator: domain.Generator, power: fr.One(), values: make([]fr.Element, block), at: block}
	one := fr.One()
	l.scale.Exp(t, new(big.Int).SetUint64(domain.Cardinality))
	l.scale.Sub(&l.scale, &one)
	l.scale.Mul(&l.scale, &domain.CardinalityInv)
	return l
}

func (l *lagrange) next() *fr.Element {
	if l.at == block {
		l.refill()
	}
	l.at++
	return &l.values[l.at-1]
}

func (l *lagrange) refill() {
	first := l.power
	for i := range l.values {
		l.values[i].Sub(&l.t, &l.power)
		l.power.Mul(&l.power, &l.generator)
	}
	inverses := fr.BatchInvert(l.values)
	factor := first
	factor.Mul(&factor, &l.scale)
	for i := range l.values {
		l.values[i].Mul(&inverses[i], &factor)
		factor.Mul(&factor, &l.generator)
	}
	l.at = 0
}

// evaluate gives, for each wire, its three polynomials at t.
func evaluate(system *r1cs.R1CS, domain *fft.Domain, t fr.Element) (a, b, c []fr.Element) {
	wires := system.NbInternalVariables + system.GetNbPublicVariables() + system.GetNbSecretVariables()
	a, b, c = make([]fr.Element, wires), make([]fr.Element, wires), make([]fr.Element, wires)
	basis := newLagrange(domain, t)
	var term fr.Element
	accumulate := func(sums []fr.Element, expression constraint.LinearExpression, value *fr.Element) {
		for _, part := range expression {
			sum := &sums[part.WireID()]
			switch part.CoeffID() {
			case constraint.CoeffIdZero:
			case constraint.CoeffIdOne:
				sum.Add(sum, value)
			case constraint.CoeffIdMinusOne:
				sum.Sub(sum, value)
			default:
				sum.Add(sum, term.Mul(&system.Coefficients[part.CoeffID()], value))
			}
		}
	}
	constraints := system.GetR1CIterator()
	for one := constraints.Next(); one != nil; one = constraints.Next() {
		value := basis.next()
		accumulate(a, one.L, value)
		accumulate(b, one.R, value)
		accumulate(c, one.O, value)
	}
	return a, b, c
}
