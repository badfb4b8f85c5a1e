package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/planrooms/planrooms/transport/browser"
)

// The service serves the browser client, so its pages need no bundler:
//
//	<script type="module">
//	  import { Client } from '/planrooms/planrooms.js';
//	</script>
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("GET /planrooms/", browser.Handler())

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/planrooms/planrooms.js", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(w.Header().Get("Cache-Control"), w.Header().Get("ETag") != "")
	// Output:
	// 200 text/javascript; charset=utf-8
	// no-cache true
}
