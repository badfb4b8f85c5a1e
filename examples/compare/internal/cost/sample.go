package cost

// Sample is what one run of a contestant has found. Times are in microseconds, sizes in bytes. What
// was not measured is zero.
type Sample struct {
	Contestant string  `json:"contestant"`
	Measure    Measure `json:"measure"`
	Plans      int     `json:"plans"`
	Round      int     `json:"round"`
	Err        string  `json:"err,omitempty"` // the run failed; the rest is not to be used
	// Other programs used more of the machine than allowed.
	Disturbed bool    `json:"disturbed,omitempty"`
	Foreign   float64 `json:"foreign"` // cores that other programs used

	Idle   *Idle   `json:"idle,omitempty"`   // nothing happens
	Steady *Load   `json:"steady,omitempty"` // a slow sequence of events through one node
	One    *Load   `json:"one,omitempty"`    // as many events as possible through one node
	Three  *Load   `json:"three,omitempty"`  // the same through all nodes
	Memory *Memory `json:"memory,omitempty"`
}

// Failed counts the samples that have failed.
func Failed(samples []Sample) (n int) {
	for _, s := range samples {
		if s.Err != "" {
			n++
		}
	}
	return n
}

// Measure says what is measured. Each measure of each contestant has new processes.
type Measure string

// The measures.
const (
	Events  Measure = "events"  // Idle, Steady, One and Three
	Holding Measure = "holding" // Memory
)

// Idle is the CPU time that processes use while nothing is published, in ms per second: the average
// of the nodes, which have no viewers, and the sum of all servers of the broker.
type Idle struct {
	NodeCPU   float64 `json:"nodeCPU"`
	BrokerCPU float64 `json:"brokerCPU,omitempty"`
}

// Load is what a load of events has taken.
type Load struct {
	Events    int64   `json:"events"`
	PerSecond float64 `json:"perSecond"` // acknowledged
	// Until all events had arrived at the viewers of the node that has the second set of them.
	DeliveredPerSecond float64 `json:"deliveredPerSecond"`

	// Deliveries that did not happen, of all. The viewers were asked to load the plan instead, or
	// were disconnected, or did not learn of them.
	Missing    int64 `json:"missing"`
	Deliveries int64 `json:"deliveries"`
	Broken     int64 `json:"broken"` // requests to load, and connections that were closed

	// Of Steady alone: the call that publishes; from its beginning until the event has arrived at a
	// viewer of the same node; and at one of another node.
	CallP50      float64 `json:"callP50,omitempty"`
	CallP99      float64 `json:"callP99,omitempty"`
	HereP50      float64 `json:"hereP50,omitempty"`
	HereP99      float64 `json:"hereP99,omitempty"`
	ElsewhereP50 float64 `json:"elsewhereP50,omitempty"`
	ElsewhereP99 float64 `json:"elsewhereP99,omitempty"`

	// CPU time for each event: of the node that publishes and has viewers, of one that only has
	// viewers, of one without viewers, and of all servers of the broker. In Three all nodes
	// publish.
	PublisherCPU float64 `json:"publisherCPU"`
	ViewersCPU   float64 `json:"viewersCPU,omitempty"`
	IdleCPU      float64 `json:"idleCPU,omitempty"`
	BrokerCPU    float64 `json:"brokerCPU,omitempty"`
}

// Memory is what plans take, in bytes for each plan, beyond what the empty processes hold. The
// nodes have no viewers.
type Memory struct {
	First Held `json:"first"` // with one event in each plan
	More  Held `json:"more"`  // with Events events in each plan
	// Events of a plan in More.
	Events int `json:"events"`
}

// Held is the memory that a plan takes.
type Held struct {
	PublisherHeap float64 `json:"publisherHeap"` // objects on the heap of the node that has published
	PublisherRSS  float64 `json:"publisherRSS"`
	OtherHeap     float64 `json:"otherHeap,omitempty"` // as above, of another node
	OtherRSS      float64 `json:"otherRSS,omitempty"`
	BrokerRSS     float64 `json:"brokerRSS,omitempty"` // of all servers
}
