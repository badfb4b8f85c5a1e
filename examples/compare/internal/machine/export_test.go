package machine

var (
	BusyTicks   = busyTicks
	ParseThread = parseThread
)
