package prove_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bedroll/groth16/prove"
	"bedroll/groth16/provingkey"
	"bedroll/groth16/setup"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	r1cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	builder "github.com/consensys/gnark/frontend/cs/r1cs"
)

// power says that Result is Base^(2 * rounds + 1) times the bits of a number, so that it has wires that appear in A, in B, in both
// and in neither, public inputs, and coefficients of every kind.
type power struct {
	Result frontend.Variable `gnark:",public"`
	Half   frontend.Variable `gnark:",public"`
	Base   frontend.Variable
}

const rounds = 900

func (c *power) Define(api frontend.API) error {
	value := c.Base
	for range rounds {
		value = api.Mul(value, c.Base, c.Base)
	}
	api.AssertIsEqual(c.Result, value)
	bits := api.ToBinary(c.Base, 16)
	api.AssertIsEqual(api.Add(api.Mul(c.Half, 2), bits[0]), c.Base)
	api.AssertIsDifferent(c.Base, 0)
	return nil
}

func compiled(t *testing.T) *r1cs.R1CS {
	t.Helper()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), builder.NewBuilder, &power{})
	if err != nil {
		t.Fatal(err)
	}
	return system.(*r1cs.R1CS)
}

func assignment(t *testing.T, half int) (full, public witness.Witness) {
	t.Helper()
	base := fr.NewElement(12345)
	result := base
	for range 2 * rounds {
		result.Mul(&result, &base)
	}
	full, err := frontend.NewWitness(&power{Result: result, Half: half, Base: 12345}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	public, err = full.Public()
	if err != nil {
		t.Fatal(err)
	}
	return full, public
}

func keys(t *testing.T) (string, *bn254.VerifyingKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pk.bin")
	verifying, err := setup.Run(func() (*r1cs.R1CS, error) { return compiled(t), nil }, path, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return path, verifying
}

func proved(t *testing.T, path string, half int) (*bn254.Proof, error) {
	t.Helper()
	key, err := provingkey.Map(path)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	return prove.Run(func() (*r1cs.R1CS, witness.Witness, error) {
		full, _ := assignment(t, half)
		return compiled(t), full, nil
	}, key, func(string) {})
}

func TestOwnProofUnderOwnKeyIsValidForGnark(t *testing.T) {
	path, verifying := keys(t)
	proof, err := proved(t, path, 6172)
	if err != nil {
		t.Fatal(err)
	}
	_, public := assignment(t, 6172)
	if err := groth16.Verify(proof, verifying, public); err != nil {
		t.Fatal(err)
	}
	_, other := assignment(t, 6173)
	if groth16.Verify(proof, verifying, other) == nil {
		t.Fatal("valid for another statement")
	}
}

func TestGnarkReadsOwnKeyAndProvesWithIt(t *testing.T) {
	path, verifying := keys(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	key := &bn254.ProvingKey{}
	if err := key.ReadDump(file); err != nil {
		t.Fatal(err)
	}
	full, public := assignment(t, 6172)
	proof, err := groth16.Prove(compiled(t), key, full)
	if err != nil {
		t.Fatal(err)
	}
	if err := groth16.Verify(proof, verifying, public); err != nil {
		t.Fatal(err)
	}
}

func TestGnarksKeyHasTheSameShapeAndServesHere(t *testing.T) {
	ownPath, _ := keys(t)
	theirs, verifying, err := groth16.Setup(compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	var dump bytes.Buffer
	if err := theirs.WriteDump(&dump); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "theirs.bin")
	if err := os.WriteFile(path, dump.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := os.Stat(ownPath)
	if err != nil || own.Size() != int64(dump.Len()) {
		t.Fatalf("own key has %v bytes, gnark's %d", own.Size(), dump.Len())
	}
	proof, err := proved(t, path, 6172)
	if err != nil {
		t.Fatal(err)
	}
	_, public := assignment(t, 6172)
	if err := groth16.Verify(proof, verifying, public); err != nil {
		t.Fatal(err)
	}
}

func TestWrongWitnessHasNoProof(t *testing.T) {
	path, _ := keys(t)
	if _, err := proved(t, path, 6173); err == nil || !strings.Contains(err.Error(), "does not solve") {
		t.Fatal(err)
	}
}

func TestBrokenKeysAreRefused(t *testing.T) {
	path, _ := keys(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"empty":     {0},
		"marker":    append([]byte{1}, whole[1:]...),
		"shortened": whole[:len(whole)-1],
		"header":    whole[:200],
		"longer":    append(bytes.Clone(whole), 0),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := provingkey.Map(path); err == nil {
			key.Close()
			t.Errorf("%s was read", name)
		}
	}
}
