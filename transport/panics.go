package transport

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
)

// panicError is a panic of the host's code, as an error that may be logged. Its text does not
// contain the value that the host passed to panic, because that could be a secret.
type panicError struct{ what, stack string }

// newPanicError describes the recovered value v. Call it inside the deferred function that
// recovers, so that the stack is that of the panic.
func newPanicError(v any) *panicError {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok && ofRuntime(v) {
		what += ": " + err.Error()
	}
	return &panicError{what: what, stack: string(debug.Stack())}
}

// ofRuntime reports whether the type of v belongs to package runtime. The texts of its errors
// contain only types, indices and addresses. Other packages can also implement [runtime.Error].
func ofRuntime(v any) bool {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "runtime"
}

// Error describes the panic without its stack.
func (e *panicError) Error() string { return "panic: " + e.what }
