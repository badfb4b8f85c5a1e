package transport

import (
	"net"
	"syscall"
)

const (
	// segmentCost is what the kernel counts for a segment besides its payload, rounded up.
	segmentCost = 2 << 10
	// spareSpace remains for what TLS writes on its own account, such as alerts and key updates.
	spareSpace = 4 << 10
)

// sendSpace knows how much a TCP socket accepts without blocking. Its methods must not be called
// concurrently.
type sendSpace struct {
	raw  syscall.RawConn
	step func(fd uintptr) // sp.query; a method value per call would allocate
	free int              // at least so much is free, in bytes of kernel memory
}

// newSendSpace returns nil if nc is not a TCP connection, or if the kernel does not report how much
// is free.
func newSendSpace(nc net.Conn) *sendSpace {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	sp := &sendSpace{raw: raw}
	sp.step = sp.query
	if sp.ask(); sp.free == 0 {
		return nil
	}
	return sp
}

// take reports whether the socket accepts n bytes of TLS payload without blocking. If so, the
// caller must write them. take assumes that they need twice their size. Since acknowledgements only
// free memory, take asks the kernel again only when what it knows to be free is used up.
func (sp *sendSpace) take(n int) bool {
	need := 2*n + segmentCost
	if need > sp.free {
		sp.ask()
	}
	if need > sp.free {
		return false
	}
	sp.free -= need
	return true
}

// forget must be called after bytes were written without take.
func (sp *sendSpace) forget() { sp.free = 0 }

func (sp *sendSpace) ask() {
	sp.free = 0
	_ = sp.raw.Control(sp.step) // after an error, nothing is free
}

// query is the callback of RawConn.Control. SO_MEMINFO returns numbers of 32 bits; package syscall
// has no function for it, but one for another option that returns eight of them.
func (sp *sendSpace) query(fd uintptr) {
	const (
		soMeminfo = 55 // include/uapi/asm-generic/socket.h
		sndbuf    = 3  // SK_MEMINFO_SNDBUF of include/uapi/linux/sock_diag.h: the limit of wmemQueued
		queued    = 5  // SK_MEMINFO_WMEM_QUEUED: memory of what is not acknowledged
	)
	info, err := syscall.GetsockoptICMPv6Filter(int(fd), syscall.SOL_SOCKET, soMeminfo)
	if err == nil {
		sp.free = max(int(info.Data[sndbuf])-int(info.Data[queued])-spareSpace, 0)
	}
}
