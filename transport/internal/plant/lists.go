package main

// lists has all faults.
var lists = [][]fault{
	pumpFaults, joinFaults, logFaults, ringFaults, entryFaults, budgetFaults, batchFaults, outletFaults, outletRunFaults, roomFaults, connFaults, frameScanFaults, buffersFaults,
}
