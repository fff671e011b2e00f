// Groth16 over the proof system's wrap circuit: compile it, make a local key pair, prove, verify. One command is one stage; each
// writes its result under its name only when it is whole, and tells its progress on standard output, a JSON object a line.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bedroll/groth16/prove"
	"bedroll/groth16/provingkey"
	"bedroll/groth16/setup"

	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	r1cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/logger"
)

var begun = time.Now()

// progress is one line of output.
type progress struct {
	Step      string  `json:"step"`
	Done      int     `json:"done"`
	All       int     `json:"all"`
	Seconds   float64 `json:"seconds"`
	CPU       float64 `json:"cpu_seconds"`
	PeakBytes int64   `json:"peak_bytes"`
}

func tell(step string, done, all int) {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	line, _ := json.Marshal(progress{
		Step: step, Done: done, All: all, Seconds: time.Since(begun).Seconds(),
		CPU:       time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds(),
		PeakBytes: peakBytes(),
	})
	fmt.Println(string(line))
}

// peakBytes is the most memory this process has held, pages of mapped files included.
func peakBytes() int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// durable writes a file that has its name only when all of it is on the disk.
func durable(path string, write func(*bufio.Writer) error) error {
	file, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	for _, step := range []func() error{func() error { return write(buffered) }, buffered.Flush, file.Sync} {
		if err := step(); err != nil {
			_ = os.Remove(path + ".part")
			return err
		}
	}
	return os.Rename(path+".part", path)
}

func run(command string, arguments []string) error {
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	constraints := flags.String("constraints", "", "the circuit as the prover describes it, JSON")
	witnessPath := flags.String("witness", "", "the witness, JSON")
	circuit := flags.String("circuit", "", "the compiled circuit")
	key := flags.String("key", "", "the proving key, in gnark's dump format")
	verifying := flags.String("verifying", "", "the verifying key")
	proof := flags.String("proof", "", "the proof, JSON")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	switch command {
	case "compile":
		system, err := compile(*constraints, *witnessPath, *circuit)
		if err != nil {
			return err
		}
		tell("constraints", system.GetNbConstraints(), system.GetNbConstraints())
	case "setup":
		made, err := setup.Run(func() (*r1cs.R1CS, error) { return readCircuit(*circuit) }, *key, tell)
		if err != nil {
			return err
		}
		if err := durable(*verifying, func(w *bufio.Writer) error {
			_, err := made.WriteTo(w)
			return err
		}); err != nil {
			return err
		}
	case "prove":
		if err := proveAndCheck(*circuit, *key, *verifying, *witnessPath, *proof); err != nil {
			return err
		}
	case "verify":
		if err := check(*verifying, *proof); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown command %q: compile, setup, prove or verify", command)
	}
	tell("end", 1, 1)
	return nil
}

func proveAndCheck(circuitPath, keyPath, verifyingPath, witnessPath, out string) error {
	verifying, err := readVerifyingKey(verifyingPath)
	if err != nil {
		return err
	}
	key, err := provingkey.Map(keyPath)
	if err != nil {
		return err
	}
	defer key.Close()
	if !key.G1.Alpha.Equal(&verifying.G1.Alpha) || !key.G2.Beta.Equal(&verifying.G2.Beta) || !key.G2.Delta.Equal(&verifying.G2.Delta) {
		return fmt.Errorf("%s and %s are not of one pair", keyPath, verifyingPath)
	}
	given, err := assignment(witnessPath)
	if err != nil {
		return err
	}
	full, public, inputs, err := publicOf(given)
	given = nil
	if err != nil {
		return err
	}
	proof, err := prove.Run(func() (*r1cs.R1CS, witness.Witness, error) {
		system, err := readCircuit(circuitPath)
		return system, full, err
	}, key, func(step string) { tell(step, 0, 1) })
	if err != nil {
		return err
	}
	if err := groth16.Verify(proof, verifying, public); err != nil {
		return fmt.Errorf("the proof that was made is not valid: %w", err)
	}
	return writeProof(out, proof, inputs)
}

func main() {
	logger.Disable()
	// Secrets of a setup must not end in a core dump.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: groth16 compile|setup|prove|verify [flags]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
