package transport

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
)

// panicError is a panic of the host's code, as an error that may be logged. Its text holds nothing
// that the host passed to panic: that could be a secret.
type panicError struct{ what, stack string }

// newPanicError describes the recovered value v. It must be called while the panic is recovered, so
// that the stack is that of the panic.
func newPanicError(v any) *panicError {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok && ofRuntime(v) {
		what += ": " + err.Error()
	}
	return &panicError{what: what, stack: string(debug.Stack())}
}

// ofRuntime reports whether v has a type of package runtime, whose texts hold types, indices and
// addresses alone. Other packages can implement [runtime.Error], too.
func ofRuntime(v any) bool {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "runtime"
}

// Error names the panic without its stack.
func (e *panicError) Error() string { return "panic: " + e.what }
