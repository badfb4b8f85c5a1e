package main

// lists has all faults.
var lists = [][]fault{
	feedFaults, pumpFaults, timersFaults, broadcastFaults, joinFaults, logFaults, ringFaults, entryFaults, budgetFaults, batchFaults, outletFaults, outletRunFaults, fenceFaults, outboundFaults, accountFaults, remainderFaults, roomFaults, connFaults, readerFaults, intakeFaults, controlFaults, frameScanFaults, refuseFaults, buffersFaults,
}
