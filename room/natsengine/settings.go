package natsengine

import (
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

const (
	// clusterKey is the key of the stream's metadata that has the name of the cluster.
	clusterKey = "planrooms-cluster"
	// epochKey has a text that changes when the log was found to have lost records.
	epochKey = "planrooms-epoch"
	// noteAge is how long the last note of a node is kept.
	noteAge = time.Hour
)

// logConfig is the configuration of the log.
func (o *Options) logConfig(n *names, cluster string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: n.log, Description: "Plan rooms: the records of a cluster", Subjects: []string{n.record},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxAge: o.MaxAge, MaxBytes: o.MaxBytes,
		Storage: o.Storage, Replicas: o.Replicas, Duplicates: room.DedupWindow,
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
		RePublish: &jetstream.RePublish{Source: n.record, Destination: n.bell, HeadersOnly: true},
		Metadata:  map[string]string{clusterKey: cluster},
	}
}

// notesConfig is the configuration of the notes: the last one of each node.
func (o *Options) notesConfig(n *names, cluster string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: n.notes, Description: "Plan rooms: the last note of each node of a cluster", Subjects: []string{n.note("*")},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxAge: noteAge, MaxMsgsPerSubject: 1,
		Storage: o.Storage, Replicas: o.Replicas, Duplicates: room.DedupWindow,
		AllowDirect: true, Metadata: map[string]string{clusterKey: cluster},
	}
}

// misfits lists the settings of a stream with which the engine cannot keep its promises, or that
// the options do not ask for.
func misfits(got, want *jetstream.StreamConfig, existing bool) (list []string) {
	differs := func(name string, got, want any) {
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			list = append(list, fmt.Sprintf("%s is %s, not %s", name, g, w))
		}
	}
	differs("subjects", got.Subjects, want.Subjects)
	differs("retention", got.Retention, want.Retention)
	differs("discard", got.Discard, want.Discard)
	differs("deny_delete", got.DenyDelete || !want.DenyDelete, true)
	differs("deny_purge", got.DenyPurge || !want.DenyPurge, true)
	differs("allow_direct", got.AllowDirect, true)
	differs("republish", republish(got.RePublish), republish(want.RePublish))
	differs("sealed", got.Sealed, false)
	differs("no_ack", got.NoAck, false)
	differs("persist_mode", got.PersistMode, want.PersistMode) // async acknowledges before it writes
	differs("a mirror, sources or a subject transform", got.Mirror != nil || len(got.Sources) > 0 || got.SubjectTransform != nil, false)
	// Each of these removes or adds messages beside the limits.
	differs("allow_msg_ttl", got.AllowMsgTTL, false)
	differs("allow_rollup_hdrs", got.AllowRollup, false)
	differs("allow_msg_schedules", got.AllowMsgSchedules, false)
	differs("allow_msg_counter", got.AllowMsgCounter, false)
	differs("subject_delete_marker_ttl", got.SubjectDeleteMarkerTTL, time.Duration(0))
	if want.MaxMsgsPerSubject == 1 {
		differs("max_msgs_per_subject", got.MaxMsgsPerSubject, 1)
	}
	if got.Duplicates < want.Duplicates {
		list = append(list, fmt.Sprintf("duplicate_window is %v, not at least %v", got.Duplicates, want.Duplicates))
	}
	if !existing {
		differs("storage", got.Storage, want.Storage)
	}
	if !existing || want.Replicas != 0 {
		differs("num_replicas", got.Replicas, want.Replicas)
	}
	if !existing || want.MaxAge != 0 && want.MaxMsgsPerSubject != 1 {
		differs("max_age", got.MaxAge, want.MaxAge)
	}
	if !existing || want.MaxBytes != 0 {
		differs("max_bytes", max(got.MaxBytes, 0), want.MaxBytes)
	}
	return list
}

// changed returns the configuration with the settings that the options ask for. Others, such as the
// placement, stay.
func changed(got, want *jetstream.StreamConfig) jetstream.StreamConfig {
	next := *got
	next.Subjects, next.Retention, next.Discard = want.Subjects, want.Retention, want.Discard
	next.MaxAge, next.MaxBytes, next.MaxMsgsPerSubject = want.MaxAge, want.MaxBytes, want.MaxMsgsPerSubject
	next.Storage, next.Replicas, next.RePublish = want.Storage, want.Replicas, want.RePublish
	next.Duplicates = max(got.Duplicates, want.Duplicates)
	next.DenyDelete, next.DenyPurge = got.DenyDelete || want.DenyDelete, got.DenyPurge || want.DenyPurge
	next.AllowDirect, next.AllowRollup, next.NoAck = want.AllowDirect, want.AllowRollup, want.NoAck
	next.AllowMsgTTL, next.SubjectDeleteMarkerTTL = want.AllowMsgTTL, want.SubjectDeleteMarkerTTL
	next.Metadata = maps.Clone(got.Metadata)
	if next.Metadata == nil {
		next.Metadata = make(map[string]string)
	}
	maps.Copy(next.Metadata, want.Metadata)
	return next
}

func republish(r *jetstream.RePublish) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%s to %s, headers only %v", r.Source, r.Destination, r.HeadersOnly)
}
