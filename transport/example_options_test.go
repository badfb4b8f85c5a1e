package transport_test

import (
	"fmt"

	"github.com/planrooms/planrooms/transport"
)

// A host reads origins from its configuration, and reports what is wrong with them when it starts.
func ExampleOptions_Validate() {
	for _, origin := range []string{"https://app.example.com", "*"} {
		o := transport.Options{AllowedOrigins: []string{origin}}
		fmt.Println(o.Validate())
	}
	// Output:
	// <nil>
	// transport: Options.AllowedOrigins[0]: "*" has a wildcard, which is not supported: list each origin, or set AllowOrigin
}
