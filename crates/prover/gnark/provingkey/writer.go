package provingkey

import (
	"encoding/binary"
	"os"
	"unsafe"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// Writer fills a key's file in any order; the file has its name only once all is written and synced.
type Writer struct {
	file   *os.File
	path   string
	layout Layout
}

// NewWriter begins the key at path: its header and the arrays' counts.
func NewWriter(path string, key *groth16.ProvingKey, counts [5]int) (*Writer, error) {
	header, err := head(key)
	if err != nil {
		return nil, err
	}
	file, err := os.Create(path + ".part")
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, path: path, layout: newLayout(int64(len(header)), counts)}
	if err := w.begin(header); err != nil {
		w.Abandon()
		return nil, err
	}
	return w, nil
}

func (w *Writer) begin(header []byte) error {
	if err := w.file.Truncate(w.layout.Size); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(header, 0); err != nil {
		return err
	}
	for array, count := range w.layout.Counts {
		word := binary.LittleEndian.AppendUint64(nil, uint64(count))
		if _, err := w.file.WriteAt(word, w.layout.Offset[array]-countBytes); err != nil {
			return err
		}
	}
	return nil
}

// Put writes points of an array from the given index on. P is an affine point in gnark's layout.
func Put[P any](w *Writer, array Array, index int, points []P) error {
	if len(points) == 0 {
		return nil
	}
	size := int64(unsafe.Sizeof(points[0]))
	if size != array.size() || index+len(points) > w.layout.Counts[array] {
		panic("provingkey: points do not fit their array")
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&points[0])), size*int64(len(points)))
	_, err := w.file.WriteAt(bytes, w.layout.Offset[array]+int64(index)*size)
	return err
}

// Close makes the file durable and gives it its name.
func (w *Writer) Close() error {
	if err := w.file.Sync(); err != nil {
		w.Abandon()
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	return os.Rename(w.path+".part", w.path)
}

// Abandon removes what was written.
func (w *Writer) Abandon() {
	_ = w.file.Close()
	_ = os.Remove(w.path + ".part")
}
