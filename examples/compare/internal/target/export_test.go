package target

var ReadEvents = readEvents
