package transport

// growStack makes the goroutine's stack 16 KiB large, which verifying a signature needs. A stack
// that grows later, below many frames, costs more, and grows twice.
//
//go:noinline
func growStack() byte {
	var frame [9 << 10]byte
	return frame[frameIndex&1]
}

// frameIndex is a variable so that the compiler keeps the frame.
var frameIndex int
