package room

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
)

// panicAttrs returns what is logged of a recovered panic of the host's code: the type of its value,
// the text of an error of package runtime, and the stack. Any other text could hold a secret. It
// must be called while the panic is recovered, so that the stack is that of the panic.
func panicAttrs(v any) []any {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok && ofRuntime(v) {
		what += ": " + err.Error()
	}
	return []any{"panic", what, "stack", string(debug.Stack())}
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
