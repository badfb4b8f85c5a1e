package natsengine

var MayRepeat = mayRepeat

// Mark lets tests judge what a leader says about a record that was delivered.
type Mark struct{ m mark }

// Deliver stores that a record was delivered.
func (m *Mark) Deliver(seq uint64, data []byte) { m.m.deliver(seq, []fingerprint{fingerprintOf(data)}) }

// Known reports whether the checksum of a record is known.
func (m *Mark) Known(seq uint64) bool { return m.m.at(seq).known }

// Judge reports whether the log has lost records, if the leader says that it ends before the last
// one, or has it.
func (m *Mark) Judge(isMissing, single bool) bool {
	if isMissing {
		return m.m.judge(missing, single)
	}
	return m.m.judge(same, single)
}
