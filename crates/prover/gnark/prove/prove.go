package prove

import (
	"fmt"
	"math/big"
	"runtime/debug"

	"bedroll/groth16/provingkey"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	r1cs "github.com/consensys/gnark/constraint/bn254"
)

// Report is told which step begins.
type Report func(what string)

// Run proves that the witness solves the circuit. It takes the only references to the circuit and to the witness.
func Run(take func() (*r1cs.R1CS, witness.Witness, error), key *provingkey.Mapped, report Report) (*groth16.Proof, error) {
	solution, public, err := solve(take, key, report)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	report("quotient")
	size := key.Domain.Cardinality
	a, b, c := padded(solution.A, size), padded(solution.B, size), padded(solution.C, size)
	solution.A, solution.B, solution.C = nil, nil, nil
	rest := quotient(a, b, c, size)[:size-1]
	a, b, c = nil, nil, nil
	debug.FreeOSMemory()
	return combine(key, solution.W, public, rest, report)
}

func solve(
	take func() (*r1cs.R1CS, witness.Witness, error), key *provingkey.Mapped, report Report,
) (*r1cs.R1CSSolution, int, error) {
	report("circuit")
	system, assignment, err := take()
	if err != nil {
		return nil, 0, err
	}
	wires := system.NbInternalVariables + system.GetNbPublicVariables() + system.GetNbSecretVariables()
	public := system.GetNbPublicVariables()
	if wires != len(key.InfinityA) || wires-public != len(key.G1.K) || uint64(system.GetNbConstraints()) > key.Domain.Cardinality {
		return nil, 0, fmt.Errorf(
			"the key is for another circuit: it has %d wires, %d of them private, the circuit %d and %d",
			len(key.InfinityA), len(key.G1.K), wires, wires-public,
		)
	}
	report("solve")
	solved, err := system.Solve(assignment)
	if err != nil {
		return nil, 0, fmt.Errorf("the witness does not solve the circuit: %w", err)
	}
	return solved.(*r1cs.R1CSSolution), public, nil
}

// combine computes A = alpha + sum + r delta, B = beta + sum + s delta, C = K + Z + s A + r B - r s delta.
func combine(key *provingkey.Mapped, wires []fr.Element, public int, quotient []fr.Element, report Report) (*groth16.Proof, error) {
	var r, s, minus fr.Element
	if _, err := r.SetRandom(); err != nil {
		return nil, err
	}
	if _, err := s.SetRandom(); err != nil {
		return nil, err
	}
	minus.Mul(&r, &s).Neg(&minus)
	var rInteger, sInteger big.Int
	r.BigInt(&rInteger)
	s.BigInt(&sInteger)
	deltas := bn254.BatchScalarMultiplicationG1(&key.G1.Delta, []fr.Element{r, s, minus})

	proof := &groth16.Proof{Commitments: []bn254.G1Affine{}}
	var a, b, c, part bn254.G1Jac
	var b2, delta2 bn254.G2Jac
	report("Z")
	if _, err := c.MultiExp(key.G1.Z, quotient, ecc.MultiExpConfig{}); err != nil {
		return nil, err
	}
	report("K")
	if _, err := part.MultiExp(key.G1.K, wires[public:], ecc.MultiExpConfig{}); err != nil {
		return nil, err
	}
	c.AddAssign(&part)
	c.AddMixed(&deltas[2])
	report("A")
	scalars := without(wires, key.InfinityA, quotient)
	if _, err := a.MultiExp(key.G1.A, scalars, ecc.MultiExpConfig{}); err != nil {
		return nil, err
	}
	a.AddMixed(&key.G1.Alpha)
	a.AddMixed(&deltas[0])
	report("B")
	scalars = without(wires, key.InfinityB, quotient)
	if _, err := b.MultiExp(key.G1.B, scalars, ecc.MultiExpConfig{}); err != nil {
		return nil, err
	}
	b.AddMixed(&key.G1.Beta)
	b.AddMixed(&deltas[1])
	report("B in G2")
	if _, err := b2.MultiExp(key.G2.B, scalars, ecc.MultiExpConfig{}); err != nil {
		return nil, err
	}
	delta2.FromAffine(&key.G2.Delta)
	delta2.ScalarMultiplication(&delta2, &sInteger)
	b2.AddAssign(&delta2)
	b2.AddMixed(&key.G2.Beta)

	part.ScalarMultiplication(&a, &sInteger)
	c.AddAssign(&part)
	part.ScalarMultiplication(&b, &rInteger)
	c.AddAssign(&part)
	proof.Ar.FromJacobian(&a)
	proof.Bs.FromJacobian(&b2)
	proof.Krs.FromJacobian(&c)
	return proof, nil
}

// without leaves out the wires whose point is at infinity; it writes over scratch where that is large enough.
func without(wires []fr.Element, infinity []bool, scratch []fr.Element) []fr.Element {
	out := scratch[:0]
	for i, skip := range infinity {
		if !skip {
			out = append(out, wires[i])
		}
	}
	return out
}
