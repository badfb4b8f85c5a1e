package room

import "time"

// The rate limits are part of the protocol that clients rely on, so they are not options.
const (
	messageRate, messageBurst = 10, 128
	controlRate, controlBurst = 10, 20
	maxExcesses               = 3 // within excessWindow close the connection
	excessWindow              = 10 * time.Second

	maxInbox = 128 // messages of one connection waiting for its worker
	// Of Options.MaxPayload, in bytes.
	defaultMaxPayload = 256 << 10
	maxNotify         = MaxMessage - 1024 // of an event of Notify with an engine, in bytes
	maxClusterName    = 64                // bytes
	maxName           = 64                // code points of a user's name
	replyOverhead     = 96                // bytes that a reply counts besides its payload

	authenticateEvery     = 10 * time.Second
	authorizeUserParallel = 8  // calls of Authorize for one user at once
	recheckParallel       = 16 // rechecks at once, unless they are late
	recheckPatience       = 5 * time.Second
	recheckRetry          = 30 * time.Second
	maxRemovers           = 16 // goroutines that remove members
	removalBatch          = 64
	logEvery              = 10 * time.Second // between two log lines about the same problem
	// That a room counts in HistoryTotal besides its events.
	roomOverhead        = 1 << 10
	unjoinedRoomTimeout = 2 * time.Minute
	closeTimeout        = time.Second      // for goodbye and close frame to be taken
	frameTimeout        = 60 * time.Second // for one frame to be taken as a whole
	fenceTimeout        = 100 * time.Millisecond
	shardSize           = 1024
	batchBytes          = 64 << 10 // written to one connection in one go
	drainBatch          = 128
	drainPause          = 50 * time.Millisecond
	drainFirstRetry     = 500 * time.Millisecond
	drainRetryStep      = 5 * time.Millisecond
	crowdedNoticeEvery  = time.Second
	// Within PresenceLimit before a room is not crowded any more.
	crowdedFor = 10 * time.Second
	// For members that lag, and 3 for each user of PresenceLimit.
	maxWaitingNotices    = 1024
	gatherNotices        = 50 * time.Millisecond
	rateLimitRetryMin    = 10 * time.Second
	rateLimitRetrySpread = 5 * time.Second
)
