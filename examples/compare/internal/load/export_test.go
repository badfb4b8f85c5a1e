package load

var (
	ClientFrame = clientFrame
	MakeTokens  = makeTokens
)

// Frame is one frame from a server.
type Frame struct {
	Op      byte
	Payload []byte
	Size    int
}

// CutFrame is cutFrame.
func CutFrame(b []byte) (Frame, []byte, bool, error) {
	f, rest, complete, err := cutFrame(b)
	return Frame{byte(f.op), f.payload, f.size}, rest, complete, err
}

// Errors of CutFrame.
var (
	ErrFragment = errFragment
	ErrMasked   = errMasked
	ErrTooLong  = errTooLong
)

// ErrConfig is returned by Run for a configuration that makes no sense.
var ErrConfig = errConfig
