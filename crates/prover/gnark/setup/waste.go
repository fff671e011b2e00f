// Package setup makes a Groth16 key pair for a circuit, alone: whoever runs it could forge proofs, so its keys are for test
// networks. The numbers are gnark's Setup; they are made with tables of fixed multiples and written to the key's file as they come.
package setup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// waste are the five secrets, from the operating system; knowing them is enough to forge proofs.
type waste struct {
	t, alpha, beta, gamma, delta fr.Element
	gammaInverse, deltaInverse   fr.Element
}

func newWaste() (*waste, error) {
	w := &waste{}
	for _, secret := range []*fr.Element{&w.t, &w.alpha, &w.beta, &w.gamma, &w.delta} {
		for secret.IsZero() {
			if _, err := secret.SetRandom(); err != nil {
				return nil, err
			}
		}
	}
	w.gammaInverse.Inverse(&w.gamma)
	w.deltaInverse.Inverse(&w.delta)
	return w, nil
}

func (w *waste) wipe() { *w = waste{} }
