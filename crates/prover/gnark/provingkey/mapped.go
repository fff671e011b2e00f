package provingkey

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"golang.org/x/sys/unix"
)

// Mapped is a key whose arrays are pages of its file.
type Mapped struct {
	*groth16.ProvingKey
	bytes  []byte
	layout Layout
}

// Map opens a key. It checks the layout; that the points are the right ones is what the caller's hash is for.
func Map(path string) (*Mapped, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	pages, err := unix.Mmap(int(file.Fd()), 0, int(stat.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	m := &Mapped{bytes: pages}
	if err := m.open(); err != nil {
		m.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m *Mapped) open() error {
	key, header, err := parseHead(m.bytes)
	if err != nil {
		return err
	}
	wires := len(key.InfinityA)
	var counts [arrays]int
	at := header
	for array := range counts {
		if at+countBytes > int64(len(m.bytes)) {
			return fmt.Errorf("proving key ends at byte %d, within array %d", len(m.bytes), array)
		}
		count := binary.LittleEndian.Uint64(m.bytes[at:])
		if count > maxWires {
			return fmt.Errorf("array %d has %d points; the limit is %d", array, count, maxWires)
		}
		counts[array] = int(count)
		at += countBytes + int64(count)*Array(array).size()
	}
	m.layout = newLayout(header, counts)
	if m.layout.Size != int64(len(m.bytes)) {
		return fmt.Errorf("proving key has %d bytes; its counts ask for %d", len(m.bytes), m.layout.Size)
	}
	if counts[A] != wires-int(key.NbInfinityA) || counts[B] != wires-int(key.NbInfinityB) || counts[B2] != counts[B] ||
		counts[Z] != int(key.Domain.Cardinality)-1 || counts[K] >= wires {
		return fmt.Errorf("arrays of %v points do not fit a key of %d wires", counts, wires)
	}
	key.G1.A = points[bn254.G1Affine](m, A)
	key.G1.B = points[bn254.G1Affine](m, B)
	key.G1.Z = points[bn254.G1Affine](m, Z)
	key.G1.K = points[bn254.G1Affine](m, K)
	key.G2.B = points[bn254.G2Affine](m, B2)
	m.ProvingKey = key
	return nil
}

// points are an array's pages seen as points; they are valid until Close. Words need not be aligned where this runs (x86-64, aarch64).
func points[P any](m *Mapped, array Array) []P {
	if m.layout.Counts[array] == 0 {
		return nil
	}
	return unsafe.Slice((*P)(unsafe.Pointer(&m.bytes[m.layout.Offset[array]])), m.layout.Counts[array])
}

// Close unmaps the file.
func (m *Mapped) Close() {
	_ = unix.Munmap(m.bytes)
	m.bytes, m.ProvingKey = nil, nil
}
