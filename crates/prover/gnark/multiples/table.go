// Package multiples computes many multiples of one point of a curve.
//
// A scalar of 256 bits is sixteen digits of 16 bits; for each place a table holds all multiples that a digit can ask for, so a
// multiple is at most fifteen additions and no doubling. Additions are made in affine coordinates, a thousand at a time, so that they
// share one inversion.
package multiples

import (
	"runtime"
	"sync"
)

const (
	digitBits = 16
	places    = 256 / digitBits
	digits    = 1<<digitBits - 1
	// lanes is how many points are added to at once: enough that the inversion weighs nothing, few enough to stay in the second cache.
	lanes = 1024
)

// Scalar is a number below the group's order, lowest word first, not in Montgomery form.
type Scalar = [4]uint64

// Point is an affine point in the memory layout of gnark's; the zero value is the point at infinity.
type Point[T any] struct{ X, Y T }

// Coordinate is what a coordinate's field must offer: a pointer to T with gnark's methods.
type Coordinate[T any] interface {
	*T
	Mul(a, b *T) *T
	Square(a *T) *T
	Sub(a, b *T) *T
	Inverse(a *T) *T
	SetOne() *T
	IsZero() bool
}

// Table holds the multiples d * 2^(16 * place) of a point for all digits d > 0.
type Table[T any, C Coordinate[T]] struct {
	places [places][]Point[T]
}

// New builds the table of the multiples of point, which has the group's order; double is the group's doubling.
func New[T any, C Coordinate[T]](point Point[T], double func(Point[T]) Point[T]) *Table[T, C] {
	table := &Table[T, C]{}
	step := make([]*Point[T], places)
	last := make([]*Point[T], places)
	for place := range places {
		row := make([]Point[T], digits)
		row[0], row[1] = point, double(point)
		table.places[place] = row
		for range digitBits {
			point = double(point)
		}
	}
	// From 2P on, adding P is never a doubling and never gives infinity, since the order is a large prime.
	adder := newAdder[T, C](places)
	for digit := 2; digit < digits; digit++ {
		for place := range places {
			row := table.places[place]
			row[digit] = row[digit-1]
			last[place], step[place] = &row[digit], &row[0]
		}
		adder.add(last, step)
	}
	return table
}

// Multiply sets out[i] to scalars[i] times the table's point, on all cores.
func (t *Table[T, C]) Multiply(scalars []Scalar, out []Point[T]) {
	var group sync.WaitGroup
	blocks := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			adder := newAdder[T, C](lanes)
			for begin := range blocks {
				end := min(begin+lanes, len(scalars))
				t.multiply(scalars[begin:end], out[begin:end], adder)
			}
		})
	}
	for begin := 0; begin < len(scalars); begin += lanes {
		blocks <- begin
	}
	close(blocks)
	group.Wait()
}

// multiply does one block. The sum of a scalar's lower digits is, as an integer, less than the next digit's part, and both
// together less than the order: so the two points of an addition are never equal and never opposite.
func (t *Table[T, C]) multiply(scalars []Scalar, out []Point[T], adder *adder[T, C]) {
	var sums, parts [lanes]*Point[T]
	var begun [lanes]bool
	for place := range places {
		count := 0
		row := t.places[place]
		for i := range scalars {
			digit := scalars[i][place/4] >> (place % 4 * digitBits) & digits
			if digit == 0 {
				continue
			}
			if part := &row[digit-1]; begun[i] {
				sums[count], parts[count] = &out[i], part
				count++
			} else {
				out[i], begun[i] = *part, true
			}
		}
		adder.add(sums[:count], parts[:count])
	}
	for i := range scalars {
		if !begun[i] {
			out[i] = Point[T]{}
		}
	}
}
