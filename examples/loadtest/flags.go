package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// settings are what the flags say, checked.
type settings struct {
	endpoint *url.URL // nil: a server in this process
	plans    []string
	conns    int
	stalled  int // of conns
	rate     float64
	during   time.Duration
	ramp     time.Duration
	drain    time.Duration
	size     int
	inflight int
	cut      time.Duration // 0: never
	sign     string        // "": the server of this process takes every token

	tokens    []string
	login     *template // nil: tokens are given
	users     []string
	tokenPath string
	publish   *template
	load      *template
	taskPath  string
	header    http.Header

	json bool
	plot string

	// No flags.
	// The longest wait of a viewer before it comes back, unless the server says when.
	backoff  time.Duration
	patience time.Duration // for a connection to show that it is alive, at the end
}

// perUser is how many connections of one user a server takes unless it is configured otherwise.
const perUser = 20

// texts are the flags that need a second look.
type texts struct {
	endpoint, preset, plans, stalled       string
	token, tokenFile, login, publish, load string
	tokenPath, taskPath                    string
	users, headers                         list
	rooms, conns                           int
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

const usage = `Loadtest puts a load of viewers and changes on a Plan rooms server, and checks that every viewer receives every change.

	loadtest [flags]                                     a server in this process
	loadtest -url ws://127.0.0.1:8080/ws [flags]         the quickstart
	loadtest -url wss://plans.example/ws -tokens tokens.txt -plans 'plan-%d' -rooms 10 \
		-publish 'PATCH {http}/api/plans/{plan} {"title":"{mutation} {pad}"}' [flags]

Requests are METHOD URL [BODY]. {http} is http:// or https:// and the host of -url. The exit status is 1 if events were missing, duplicate or out
of order, and 2 if the run failed.

`

// parse reads the command line. flag.ErrHelp is that of -h.
func parse(args []string, stderr io.Writer) (*settings, error) {
	s, x := &settings{backoff: 2 * time.Second, patience: 2 * time.Second}, &texts{}
	f := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		_, _ = io.WriteString(stderr, usage) // nothing else is to be done
		f.PrintDefaults()
	}
	f.StringVar(&x.endpoint, "url", "", "the WebSocket `endpoint`, such as wss://plans.example/ws (default: a server in this process)")
	f.StringVar(&x.preset, "preset", "quickstart", "a `name` that sets -login, -user, -plans, -load and -publish unless they are given: quickstart, none")
	f.StringVar(&x.plans, "plans", "", "`ids` of plans, separated by commas, or a template such as plan-%d")
	f.IntVar(&x.rooms, "rooms", 0, "`number` of plans (default: all that -plans names, or 10)")
	f.IntVar(&x.conns, "conns", 0, "`number` of connections (default 1000, or the most that the users may have)")
	f.StringVar(&x.stalled, "stalled", "0", "how many of them stop reading after the join: a `number or percentage`")
	f.Float64Var(&s.rate, "rate", 50, "`changes` per second, over all plans")
	f.DurationVar(&s.during, "for", 30*time.Second, "how long to make changes")
	f.DurationVar(&s.ramp, "ramp", 0, "spread the connects over this time (default: as fast as possible, 64 at a time)")
	f.DurationVar(&s.drain, "drain", 15*time.Second, "how long to wait at the end for events in flight")
	f.IntVar(&s.size, "size", 1800, "`bytes` of {pad} in each change")
	f.IntVar(&s.inflight, "inflight", 256, "`number` of changes that may be in flight at once")
	f.DurationVar(&s.cut, "cut", 0, "cut all connections that read at the same time, this long after the first change, and report how they reconnect")
	f.StringVar(&s.sign, "sign", "", "without -url: the server verifies tokens of this `algorithm`, RS256 or EdDSA (default: it accepts every token)")
	f.StringVar(&x.token, "token", "", "one `token` for all connections")
	f.StringVar(&x.tokenFile, "tokens", "", "a `file` with one token per line, used in turn")
	f.StringVar(&x.login, "login", "", "the `request` for a token, with {user}")
	f.StringVar(&x.tokenPath, "token-path", "token", "`path` of the token in the response to -login")
	f.Var(&x.users, "user", "a `name` to log in with (repeatable), or a template such as user-%d for as many users as needed")
	f.StringVar(&x.publish, "publish", "", "the `request` that changes a plan, with {plan} {task} {n} {mutation} {pad}; Authorization and X-Plan-Mutation are set")
	f.StringVar(&x.load, "load", "", "the `request` that returns a plan, with {plan}, to find a {task}")
	f.StringVar(&x.taskPath, "task-path", "tasks.0.id", "`path` of the task ID in the response to -load")
	f.Var(&x.headers, "header", "a `line` for every handshake and request, such as 'Origin: https://app.example' (repeatable)")
	f.BoolVar(&s.json, "json", false, "print the report as JSON, and nothing else")
	f.StringVar(&s.plot, "plot", "", "draw the latency over time into this `file.svg`")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, s.complete(x)
}

// complete fills in what depends on several flags, and checks everything.
func (s *settings) complete(x *texts) error {
	switch {
	case !(s.rate > 0) || s.rate > 1e6:
		return errors.New("-rate must be more than 0 and at most 1000000")
	case s.during <= 0 || s.ramp < 0 || s.drain < 0:
		return errors.New("-for must be more than 0, and -ramp and -drain at least 0")
	case s.size < 0 || s.size > 200<<10:
		return errors.New("-size must be from 0 to 204800")
	case s.inflight < 1:
		return errors.New("-inflight must be at least 1")
	case x.rooms < 0 || x.conns < 0:
		return errors.New("-rooms and -conns must be at least 0")
	case s.cut < 0 || s.cut >= s.during:
		return errors.New("-cut must be at least 0 and less than -for")
	case s.sign != "" && x.endpoint != "":
		return errors.New("-sign is for the server in this process and cannot be combined with -url")
	case s.plot != "" && !strings.HasSuffix(s.plot, ".svg"):
		return errors.New("-plot draws SVG: the file name must end in .svg")
	}
	var err error
	if x.endpoint == "" {
		if x.publish+x.login+x.load+x.token+x.tokenFile != "" || len(x.users)+len(x.headers) > 0 {
			return errors.New("-token, -tokens, -login, -user, -publish, -load and -header need -url")
		}
		x.conns = cmpOr(x.conns, 1000)
	} else if err = s.completeTarget(x); err != nil {
		return err
	}
	if s.plans, err = plansOf(cmpOr(x.plans, "plan-%d"), x.rooms); err != nil {
		return err
	}
	s.conns = x.conns
	if s.stalled, err = shareOf(x.stalled, s.conns); err != nil {
		return err
	}
	if live := s.conns - s.stalled; live < len(s.plans) {
		return fmt.Errorf("%d connections that read are too few for %d plans", live, len(s.plans))
	}
	return nil
}

func cmpOr[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// completeTarget does so for what only another's server needs.
func (s *settings) completeTarget(x *texts) (err error) {
	if s.endpoint, err = url.Parse(x.endpoint); err != nil || s.endpoint.Host == "" {
		return fmt.Errorf("-url %q is not a URL", x.endpoint)
	}
	switch s.endpoint.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return fmt.Errorf("-url %q is neither ws:// nor wss://", x.endpoint)
	}
	switch x.preset {
	case "quickstart":
		x.presetQuickstart()
	case "none":
	default:
		return fmt.Errorf("-preset %q is unknown; use quickstart or none", x.preset)
	}
	if x.plans == "" || x.publish == "" {
		return errors.New("-url needs -plans and -publish, or -preset quickstart")
	}
	if s.publish, err = parseTemplate(x.publish, "http", "plan", "task", "n", "mutation", "pad"); err != nil {
		return fmt.Errorf("-publish: %w", err)
	}
	if s.publish.has("task") {
		if s.load, err = parseTemplate(x.load, "http", "plan"); err != nil {
			return fmt.Errorf("-load, which -publish needs for {task}: %w", err)
		}
	}
	s.taskPath, s.tokenPath = x.taskPath, x.tokenPath
	s.header = http.Header{}
	for _, line := range x.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return fmt.Errorf("-header %q is not Name: value", line)
		}
		s.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return s.completeTokens(x)
}

// presetQuickstart fills in what examples/quickstart needs.
func (x *texts) presetQuickstart() {
	if x.token == "" && x.tokenFile == "" && x.login == "" {
		x.login = `POST {http}/api/login {"user":"{user}"}`
	}
	if len(x.users) == 0 {
		x.users = list{"alice", "bob", "carol"}
	}
	x.plans = cmpOr(x.plans, "demo")
	x.publish = cmpOr(x.publish, `PATCH {http}/api/tasks/{task} {"title":"{mutation} {pad}"}`)
	x.load = cmpOr(x.load, "GET {http}/api/plans/{plan}")
}

// completeTokens finds out who connects.
func (s *settings) completeTokens(x *texts) (err error) {
	given := 0
	for _, text := range []string{x.token, x.tokenFile, x.login} {
		if text != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("exactly one of -token, -tokens and -login is needed")
	case x.token != "":
		s.tokens = []string{x.token}
	case x.tokenFile != "":
		b, err := os.ReadFile(x.tokenFile)
		if err != nil {
			return fmt.Errorf("-tokens: %w", err)
		}
		if s.tokens = strings.Fields(string(b)); len(s.tokens) == 0 {
			return fmt.Errorf("-tokens: %s contains no token", x.tokenFile)
		}
	default:
		if s.login, err = parseTemplate(x.login, "http", "user"); err != nil {
			return fmt.Errorf("-login: %w", err)
		}
		switch {
		case len(x.users) == 0 && s.login.has("user"):
			return errors.New("-login with {user} needs -user")
		case len(x.users) == 0:
			s.users = []string{"all"}
		case len(x.users) == 1 && strings.Contains(x.users[0], "%d"):
			x.conns = cmpOr(x.conns, 1000)
			for i := range (x.conns + perUser - 1) / perUser {
				s.users = append(s.users, strings.ReplaceAll(x.users[0], "%d", strconv.Itoa(i+1)))
			}
		default:
			s.users = x.users
		}
	}
	x.conns = cmpOr(x.conns, min(1000, perUser*(len(s.tokens)+len(s.users))))
	return nil
}

// plansOf returns the ids of rooms plans, 0 meaning the default.
func plansOf(text string, rooms int) ([]string, error) {
	var plans []string
	if strings.Contains(text, "%d") {
		for i := range cmpOr(rooms, 10) {
			plans = append(plans, strings.ReplaceAll(text, "%d", strconv.Itoa(i+1)))
		}
	} else {
		plans = strings.Split(text, ",")
		if rooms > len(plans) {
			return nil, fmt.Errorf("-rooms %d, but -plans names %d: %s; use a template such as -plans 'plan-%%d' for more, if the server has them", rooms, len(plans), text)
		}
		plans = plans[:cmpOr(rooms, len(plans))]
	}
	for _, plan := range plans {
		if !protocol.ValidPlanID(plan) {
			return nil, fmt.Errorf("-plans: %q is not a valid plan ID", plan)
		}
	}
	return plans, nil
}

// shareOf reads a number or a percentage of whole.
func shareOf(text string, whole int) (int, error) {
	number, isPercentage := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(number, 64)
	if isPercentage {
		f = math.Round(f * float64(whole) / 100)
	}
	if err != nil || !(f >= 0) || f > float64(whole) || f != math.Trunc(f) {
		return 0, fmt.Errorf("-stalled %q is neither a number of connections nor a percentage", text)
	}
	return int(f), nil
}
