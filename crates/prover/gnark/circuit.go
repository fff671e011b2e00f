package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	r1cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	builder "github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/succinctlabs/sp1-recursion-gnark/sp1"
)

// capacity is room for the wrap circuit's constraints, so that no slice has to grow while it is compiled.
const capacity = 16_000_000

// assignment reads a witness as the prover writes it.
func assignment(path string) (*sp1.Circuit, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var input sp1.WitnessInput
	if err := json.Unmarshal(text, &input); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	circuit := sp1.NewCircuit(input)
	return &circuit, nil
}

// compile makes the circuit's constraints. Of the witness only the lengths count.
func compile(constraints, witnessPath, out string) (*r1cs.R1CS, error) {
	circuit, err := assignment(witnessPath)
	if err != nil {
		return nil, err
	}
	// Read by the circuit itself.
	for name, value := range map[string]string{"CONSTRAINTS_JSON": constraints, "GROTH16": "1"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	system, err := frontend.Compile(ecc.BN254.ScalarField(), builder.NewBuilder, circuit, frontend.WithCapacity(capacity))
	if err != nil {
		return nil, err
	}
	return system.(*r1cs.R1CS), durable(out, func(w *bufio.Writer) error {
		_, err := system.WriteTo(w)
		return err
	})
}

func readCircuit(path string) (*r1cs.R1CS, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	system := &r1cs.R1CS{}
	if _, err := system.ReadFrom(bufio.NewReaderSize(file, 1<<20)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return system, nil
}

func readVerifyingKey(path string) (*bn254.VerifyingKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key := &bn254.VerifyingKey{}
	if _, err := key.ReadFrom(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// proofText is a proof as it is written for the rest of the prover: A, B, C uncompressed, big-endian, B's coordinates with u's part
// first; and the statement's five numbers.
type proofText struct {
	Proof  string   `json:"proof"`
	Inputs []string `json:"inputs"`
}

func publicOf(circuit *sp1.Circuit) (full, public witness.Witness, inputs []string, err error) {
	full, err = frontend.NewWitness(circuit, ecc.BN254.ScalarField())
	if err != nil {
		return nil, nil, nil, err
	}
	public, err = full.Public()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, number := range []frontend.Variable{
		circuit.VkeyHash, circuit.CommittedValuesDigest, circuit.ExitCode, circuit.VkRoot, circuit.ProofNonce,
	} {
		inputs = append(inputs, fmt.Sprint(number))
	}
	return full, public, inputs, nil
}

func writeProof(path string, proof *bn254.Proof, inputs []string) error {
	text, err := json.MarshalIndent(proofText{Proof: hex.EncodeToString(proof.MarshalSolidity()), Inputs: inputs}, "", " ")
	if err != nil {
		return err
	}
	return durable(path, func(w *bufio.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// check verifies a written proof with gnark.
func check(keyPath, proofPath string) error {
	key, err := readVerifyingKey(keyPath)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(proofPath)
	if err != nil {
		return err
	}
	var written proofText
	if err := json.Unmarshal(text, &written); err != nil {
		return fmt.Errorf("%s: %w", proofPath, err)
	}
	if len(written.Inputs) != 5 {
		return fmt.Errorf("%s: %d inputs; a statement has 5", proofPath, len(written.Inputs))
	}
	raw, err := hex.DecodeString(written.Proof)
	if err != nil || len(raw) != 256 {
		return fmt.Errorf("%s: the proof must be 256 bytes in hex", proofPath)
	}
	// gnark's own form ends with no commitments and their empty proof of knowledge.
	proof := &bn254.Proof{}
	if _, err := proof.ReadFrom(bytes.NewReader(append(raw, make([]byte, 4+64)...))); err != nil {
		return fmt.Errorf("%s: %w", proofPath, err)
	}
	_, public, _, err := publicOf(&sp1.Circuit{
		VkeyHash: written.Inputs[0], CommittedValuesDigest: written.Inputs[1], ExitCode: written.Inputs[2],
		VkRoot: written.Inputs[3], ProofNonce: written.Inputs[4],
	})
	if err != nil {
		return err
	}
	return groth16.Verify(proof, key, public)
}
