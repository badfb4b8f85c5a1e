package natsengine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// nats.go ends a connection for good when a server closes it with an error that nats.go does not
// know, such as that a message is larger than max_payload, or refuses the credentials twice. The
// client then makes another connection, and reads the credentials again.

// subscription is a subscription that is made again with each connection.
type subscription struct {
	subject string
	handler nats.MsgHandler
	sub     *nats.Subscription // guarded by client.subsMu
}

func (c *client) subscribe(subject string, f nats.MsgHandler) (*subscription, error) {
	c.subsMu.Lock()
	defer c.subsMu.Unlock()
	s := &subscription{subject: subject, handler: f}
	var err error
	if s.sub, err = c.current().nc.Subscribe(subject, f); err != nil {
		return nil, fmt.Errorf("natsengine: subscribe to %s: %w", subject, err)
	}
	c.subs[s] = struct{}{}
	return s, nil
}

func (c *client) unsubscribe(s *subscription) {
	c.subsMu.Lock()
	defer c.subsMu.Unlock()
	delete(c.subs, s)
	_ = s.sub.Unsubscribe() // fails only if the connection is closed
}

// install makes k the connection of the client, with all subscriptions. It returns false if k has
// ended meanwhile.
func (c *client) install(k *conn) bool {
	c.subsMu.Lock()
	defer c.subsMu.Unlock()
	for s := range c.subs {
		sub, err := k.nc.Subscribe(s.subject, s.handler)
		if err != nil {
			return false
		}
		s.sub = sub
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = k
	k.ended = k.isClosed()
	return !k.ended
}

// ended is called when nats.go has ended a connection. Unless the client has closed it, another one
// is made.
func (c *client) ended(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.conn != k || k.ended {
		return
	}
	k.ended = true
	c.redials.Go(func() { c.redial(k) })
}

// redial makes another connection after k.
func (c *client) redial(k *conn) {
	logged := c.log.allow("closed")
	if logged {
		c.log.Warn("natsengine: the connection to NATS was closed; another one is made", "error", c.o.redact(k.nc.LastError()))
	}
	others := k.discovered(c.o)
	for n := 0; pause(c.ctx, n) == nil; n++ {
		next, err := c.connect(c.ctx, others)
		if err != nil {
			if c.ctx.Err() == nil && c.log.allow("not connected") { // the error may have a port that changes
				c.log.Warn("natsengine: not connected again", "error", c.o.redact(err))
			}
			continue
		}
		if !c.install(next) {
			next.close()
			continue
		}
		if logged {
			c.log.Info("natsengine: connected again", "server", next.nc.ConnectedAddr())
		}
		c.relink(errDisconnected, true)
		return
	}
}

// renewAfter is when a connection is made again on which the server has refused a subscription. It
// is within the tenure of the hub.
const renewAfter = 5 * time.Second

// renew has a connection made again after a while: the server has refused a subscription, and does
// not make it later, when the permissions have changed. nats.go subscribes once in each connection.
func (c *client) renew(k *conn, nc *nats.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || k.renewing {
		return
	}
	k.renewing = true
	c.redials.Go(func() {
		t := time.NewTimer(renewAfter)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.ctx.Done():
			return
		}
		c.mu.Lock()
		k.renewing = false
		c.mu.Unlock()
		_ = nc.ForceReconnect() // fails only if the connection is closed
	})
}

// refusedSubscription reports whether an error says that the server does not permit a subscription.
func refusedSubscription(err error) bool {
	return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), "Permissions Violation for Subscription")
}
