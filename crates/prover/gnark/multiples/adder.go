package multiples

// adder adds pairs of affine points with one inversion for all of them.
type adder[T any, C Coordinate[T]] struct {
	width, product          []T
	inverse, slope, x, y, t T
}

func newAdder[T any, C Coordinate[T]](capacity int) *adder[T, C] {
	return &adder[T, C]{width: make([]T, capacity), product: make([]T, capacity)}
}

// add sets *sums[i] to *sums[i] + *parts[i]. No point is infinity, and no pair has equal x.
func (a *adder[T, C]) add(sums, parts []*Point[T]) {
	if len(sums) == 0 {
		return
	}
	inverse := C(&a.inverse)
	inverse.SetOne()
	for i := range sums {
		a.product[i] = a.inverse
		C(&a.width[i]).Sub(&parts[i].X, &sums[i].X)
		inverse.Mul(&a.inverse, &a.width[i])
	}
	if inverse.IsZero() {
		panic("multiples: two points of an addition share their x")
	}
	inverse.Inverse(&a.inverse)
	slope, x, y, t := C(&a.slope), C(&a.x), C(&a.y), C(&a.t)
	for i := len(sums) - 1; i >= 0; i-- {
		sum, part := sums[i], parts[i]
		t.Mul(&a.inverse, &a.product[i])
		inverse.Mul(&a.inverse, &a.width[i])
		slope.Sub(&part.Y, &sum.Y)
		slope.Mul(&a.slope, &a.t)
		x.Square(&a.slope)
		x.Sub(&a.x, &sum.X)
		x.Sub(&a.x, &part.X)
		y.Sub(&sum.X, &a.x)
		y.Mul(&a.y, &a.slope)
		y.Sub(&a.y, &sum.Y)
		sum.X, sum.Y = a.x, a.y
	}
}
