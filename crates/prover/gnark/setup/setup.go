package setup

import (
	"fmt"
	"math/big"
	"math/bits"
	"runtime/debug"

	"bedroll/groth16/multiples"
	"bedroll/groth16/provingkey"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	r1cs "github.com/consensys/gnark/constraint/bn254"
)

// piece is how many points are made between two writes: 16 MiB of G1, 32 MiB of G2.
const piece = 1 << 18

// Report is told what is being made, and how many of how many points are done.
type Report func(what string, done, all int)

// Run writes the proving key of a circuit to path and returns the verifying key. It takes the only reference to the circuit,
// which is the largest thing in memory and not needed after the first step.
func Run(take func() (*r1cs.R1CS, error), path string, report Report) (*groth16.VerifyingKey, error) {
	system, err := take()
	if err != nil {
		return nil, err
	}
	if commitments := system.CommitmentInfo.(constraint.Groth16Commitments); len(commitments) != 0 {
		return nil, fmt.Errorf("the circuit has %d commitments; none are supported", len(commitments))
	}
	secret, err := newWaste()
	if err != nil {
		return nil, err
	}
	defer secret.wipe()
	report("polynomials", 0, system.GetNbConstraints())
	domain := fft.NewDomain(uint64(system.GetNbConstraints()), fft.WithoutPrecompute())
	s := &setup{secret: secret, domain: domain, public: system.GetNbPublicVariables(), report: report}
	s.a, s.b, s.k = evaluate(system, domain, secret.t)
	system = nil
	debug.FreeOSMemory()
	defer s.wipe()
	return s.write(path)
}

type setup struct {
	secret  *waste
	domain  *fft.Domain
	public  int
	a, b, k []fr.Element
	g1      *multiples.G1
	report  Report
}

func (s *setup) wipe() {
	clear(s.a[:cap(s.a)])
	clear(s.b[:cap(s.b)])
	clear(s.k[:cap(s.k)])
}

func (s *setup) write(path string) (*groth16.VerifyingKey, error) {
	s.report("tables", 0, 1)
	s.g1 = multiples.OfG1()
	g2 := multiples.OfG2()
	secret := s.secret
	first := inG1(s.g1, secret.alpha, secret.beta, secret.delta)
	second := inG2(g2, secret.beta, secret.delta, secret.gamma)
	verifying := &groth16.VerifyingKey{}
	verifying.G1.Alpha, verifying.G1.Beta, verifying.G1.Delta = first[0], first[1], first[2]
	verifying.G2.Beta, verifying.G2.Delta, verifying.G2.Gamma = second[0], second[1], second[2]
	s.combine()
	verifying.G1.K = inG1(s.g1, s.k[:s.public]...)
	if err := verifying.Precompute(); err != nil {
		return nil, err
	}

	key := &groth16.ProvingKey{Domain: *s.domain}
	key.G1.Alpha, key.G1.Beta, key.G1.Delta = first[0], first[1], first[2]
	key.G2.Beta, key.G2.Delta = second[0], second[1]
	key.InfinityA, s.a = compact(s.a)
	key.InfinityB, s.b = compact(s.b)
	key.NbInfinityA = uint64(len(key.InfinityA) - len(s.a))
	key.NbInfinityB = uint64(len(key.InfinityB) - len(s.b))
	private := s.k[s.public:]
	powers := int(s.domain.Cardinality) - 1
	writer, err := provingkey.NewWriter(path, key, [5]int{len(s.a), len(s.b), powers, len(private), len(s.b)})
	if err != nil {
		return nil, err
	}
	err = firstError(
		func() error { return put(writer, provingkey.A, s.g1, len(s.a), at(s.a), s.report) },
		func() error { return put(writer, provingkey.B, s.g1, len(s.b), at(s.b), s.report) },
		func() error { return put(writer, provingkey.K, s.g1, len(private), at(private), s.report) },
		func() error { return put(writer, provingkey.B2, g2, len(s.b), at(s.b), s.report) },
		func() error { return put(writer, provingkey.Z, s.g1, powers, at(s.quotients()), s.report) },
	)
	if err != nil {
		writer.Abandon()
		return nil, err
	}
	return verifying, writer.Close()
}

// combine turns the third polynomials into (beta A + alpha B + C), over gamma for the public wires and over delta for the others.
func (s *setup) combine() {
	var alpha, beta fr.Element
	for i := range s.k {
		alpha.Mul(&s.b[i], &s.secret.alpha)
		beta.Mul(&s.a[i], &s.secret.beta)
		s.k[i].Add(&s.k[i], &alpha).Add(&s.k[i], &beta)
		if i < s.public {
			s.k[i].Mul(&s.k[i], &s.secret.gammaInverse)
		} else {
			s.k[i].Mul(&s.k[i], &s.secret.deltaInverse)
		}
	}
}

// quotients are t^i (t^n - 1) / delta in bit-reversed order, as the prover's FFT leaves the quotient's coefficients. They take
// the memory of the first array, which is written by then.
func (s *setup) quotients() []fr.Element {
	size := s.domain.Cardinality
	out := s.a[:0]
	if uint64(cap(out)) < size {
		clear(s.a[:cap(s.a)])
		s.a, out = nil, nil
		debug.FreeOSMemory()
		out = make([]fr.Element, size)
	}
	out = out[:size]
	s.a = out
	one := fr.One()
	var value fr.Element
	value.Exp(s.secret.t, new(big.Int).SetUint64(size))
	value.Sub(&value, &one)
	value.Mul(&value, &s.secret.deltaInverse)
	shift := bits.LeadingZeros64(size) + 1
	for i := range size {
		out[bits.Reverse64(i)>>shift] = value
		value.Mul(&value, &s.secret.t)
	}
	return out
}

// compact marks zeros and moves the others together.
func compact(scalars []fr.Element) (zero []bool, kept []fr.Element) {
	zero = make([]bool, len(scalars))
	kept = scalars[:0]
	for i := range scalars {
		if zero[i] = scalars[i].IsZero(); !zero[i] {
			kept = append(kept, scalars[i])
		}
	}
	return zero, kept
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
