package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
)

// role is the first argument of this program when it runs as a node. The second one has the
// configuration as JSON.
const role = "node"

// library is one node of a cluster as one of the libraries makes it. Its methods are called from
// one goroutine, except for publish.
type library interface {
	// publish publishes a task, which it owns. It returns the place in the log of the cluster if
	// there is one.
	publish(plan string, task []byte) (seq uint64, err error)
	// view connects a viewer to each plan. Those of the last call leave before.
	view(plans []string, viewers []*viewer) error
	// present waits until each plan has a number of viewers on all nodes, see Present.
	present(plans []string, viewers int) error
	// applied reports whether the node has handled the log up to seq.
	applied(seq uint64) bool
}

func newLibrary(c Config) (library, error) {
	switch c.Library {
	case Planrooms:
		return newHub(c)
	case Centrifuge:
		return newChannels(c)
	default:
		return nil, fmt.Errorf("node: unknown library %q", c.Library)
	}
}

// Child runs this process as a node, if args say so, until its standard input ends. It returns
// false if they do not.
func Child(args []string, stdin io.Reader, stdout io.Writer) (bool, error) {
	if len(args) != 2 || args[0] != role {
		return false, nil
	}
	return true, serve(args[1], stdin, stdout)
}

// server answers requests.
type server struct {
	library   library
	publisher *publisher
	viewers   *viewers
}

func serve(config string, stdin io.Reader, stdout io.Writer) error {
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	l, err := newLibrary(c)
	if err != nil {
		return err
	}
	s := &server{library: l, publisher: &publisher{publish: l.publish}, viewers: newViewers(View{})}
	s.publisher.last.Store(int64(c.Number) * numbersPerNode)
	in, out := json.NewDecoder(stdin), json.NewEncoder(stdout)
	if err := out.Encode(answer{}); err != nil { // Process.Ready waits for it
		return fmt.Errorf("node: %w", err)
	}
	for {
		var q request
		if err := in.Decode(&q); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("node: %w", err)
		}
		a, err := s.do(q)
		if err != nil {
			a.Err = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
}

func (s *server) do(q request) (a answer, err error) {
	switch {
	case q.View != nil:
		s.viewers = newViewers(*q.View)
		return a, s.library.view(planNames(q.View.Plans), s.viewers.list)
	case q.Present != nil:
		return a, s.library.present(planNames(q.Present.Plans), q.Present.Viewers)
	case q.Publish != nil:
		a.Published, err = s.publisher.run(*q.Publish)
		return a, err
	case q.Await != nil:
		err = s.await(*q.Await)
		a.Viewed = s.viewers.viewed()
		return a, err
	case q.Collect:
		a.Memory, err = collect()
		return a, err
	default:
		return a, errors.New("node: an empty request")
	}
}

const (
	quiet     = 2 * time.Second      // await stops waiting when nothing has arrived for this long
	applyWait = 30 * time.Second     // await fails if the log is not applied after this
	applyPoll = 1 * time.Millisecond // how often await looks at it
)

var errLog = errors.New("node: the log of the cluster was not applied in time")

func (s *server) await(w Await) error {
	s.viewers.await(w.Count, quiet)
	for deadline := time.Now().Add(applyWait); !s.library.applied(w.Seq); {
		if !time.Now().Before(deadline) {
			return errLog
		}
		time.Sleep(applyPoll) // the hub has no event for it
	}
	return nil
}

// collect frees what is not used, and returns the rest.
func collect() (m Memory, err error) {
	debug.FreeOSMemory()
	debug.FreeOSMemory() // what finalizers and pools have let go
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	u, err := machine.Self()
	return Memory{Heap: int64(sample[0].Value.Uint64()), RSS: u.RSS}, err
}
