package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The picture, in pixels: latency above, on a logarithmic scale, deliveries below.
const (
	plotWidth, plotHeight   = 960, 500
	plotLeft, plotRight     = 76, 932
	latencyTop, latencyEnd  = 96, 340
	deliverTop, deliversEnd = 376, 446
)

const plotStyle = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#475569}
.title{font-size:18px;font-weight:600;fill:#0f172a}.small{font-size:11px}.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:#e2e8f0}.axis{stroke:#94a3b8}.p50{stroke:#2563eb}.p99{stroke:#db2777}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.max{fill:#94a3b8}.bar{fill:#93c5fd}
.back{stroke:#d97706;stroke-width:1.5;stroke-dasharray:4 3}.backtext{fill:#b45309}`

// plotScale maps what was measured to pixels.
type plotScale struct {
	seconds   float64 // of the whole axis
	low, high float64 // latencies in milliseconds, powers of ten
	most      float64 // deliveries in a second
}

func (p plotScale) x(at float64) float64 {
	return plotLeft + (plotRight-plotLeft)*at/p.seconds
}

func (p plotScale) y(ms float64) float64 {
	share := math.Log10(max(ms, p.low)/p.low) / math.Log10(p.high/p.low)
	return latencyEnd - (latencyEnd-latencyTop)*share
}

func (p plotScale) bar(deliveries int) float64 {
	return (deliversEnd - deliverTop) * float64(deliveries) / p.most
}

// plot draws the latency over time as SVG.
func plot(r *report) string {
	seconds := plotted(r)
	p := scaleOf(seconds)
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	put(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="Latency over time">`, plotWidth, plotHeight)
	put(`<style>%s</style>`, plotStyle)
	put(`<rect width="%d" height="%d" rx="10" fill="#fff"/>`, plotWidth, plotHeight)
	put(`<text x="28" y="36" class="title">Fan-out latency</text>`)
	put(`<text x="28" y="58">%s</text>`, html.EscapeString(subtitle(r)))
	plotLegend(put)
	p.grid(put)
	for _, s := range seconds {
		p.second(put, s)
	}
	for _, kind := range []string{"p50", "p99"} {
		put(`<path class="line %s" d="%s"/>`, kind, p.path(seconds, kind))
	}
	put(`<text x="%d" y="%d" class="small mid">seconds</text>`, (plotLeft+plotRight)/2, plotHeight-14)
	b.WriteString("</svg>\n")
	return b.String()
}

// plotted returns the seconds in which changes were made or received, with times from when they
// began.
func plotted(r *report) (out []second) {
	for _, s := range r.Seconds {
		s.From, s.To = max(0, s.From-r.Began), s.To-r.Began
		// A short rest at the end would look like a second without load.
		if s.Sent+s.Deliveries+s.Reconnects > 0 && s.To-s.From > 0.5 {
			out = append(out, s)
		}
	}
	return out
}

func scaleOf(seconds []second) plotScale {
	p := plotScale{seconds: 1, low: math.Inf(1), high: 1, most: 1}
	for _, s := range seconds {
		p.seconds = max(p.seconds, s.To)
		p.most = max(p.most, float64(s.Deliveries))
		if s.Deliveries > 0 {
			p.low, p.high = min(p.low, s.P50), max(p.high, s.Max)
		}
	}
	p.low = math.Pow(10, math.Floor(math.Log10(max(min(p.low, 1), 0.01))))
	p.high = math.Pow(10, math.Ceil(math.Log10(p.high)))
	p.high = max(p.high, p.low*10)
	return p
}

func subtitle(r *report) string {
	text := fmt.Sprintf("%s, %s, %g changes/s: %s deliveries/s, p50 %s, p99 %s, max %s",
		several(r.Connections, "connection"), several(r.Plans, "plan"), r.Rate, grouped(r.perSecond(r.Totals.Deliveries)),
		inWords(r.Latency.P50), inWords(r.Latency.P99), inWords(r.Latency.Max))
	if r.Faults.any() {
		text += fmt.Sprintf("; FAULTS: %+v", r.Faults)
	}
	return text
}

func plotLegend(put func(string, ...any)) {
	const y = 80
	for i, kind := range []string{"p50", "p99"} {
		x := plotLeft + 70*i
		put(`<path class="line %s" d="M%d %d h22"/><text x="%d" y="%d">%[1]s</text>`, kind, x, y, x+28, y+4)
	}
	put(`<circle class="max" cx="%d" cy="%d" r="2.5"/><text x="%d" y="%d">max</text>`, plotLeft+152, y, plotLeft+162, y+4)
	put(`<path class="back" d="M%d %d v14"/><text x="%d" y="%d">connections that reconnected</text>`, plotLeft+216, y-7, plotLeft+226, y+4)
}

func (p plotScale) grid(put func(string, ...any)) {
	for ms := p.low; ms <= p.high*1.001; ms *= 10 {
		y := p.y(ms)
		put(`<path class="grid" d="M%d %.1f H%d"/><text x="%d" y="%.1f" class="small end">%s</text>`, plotLeft, y, plotRight, plotLeft-8, y+4, tick(ms))
	}
	put(`<path class="axis" d="M%d %d H%d"/>`, plotLeft, deliversEnd, plotRight)
	put(`<text x="%d" y="%d" class="small end">%s</text>`, plotLeft-8, deliverTop+8, grouped(int(p.most)))
	put(`<text x="%d" y="%d" class="small end">0</text>`, plotLeft-8, deliversEnd+2)
	put(`<text x="%d" y="%d" class="small">deliveries/s</text>`, plotLeft, deliverTop-8)
	step := stepOf(p.seconds)
	for at := 0.0; at <= p.seconds; at += step {
		put(`<text x="%.1f" y="%d" class="small mid">%g</text>`, p.x(at), deliversEnd+18, at)
	}
}

// tick is a power of ten of milliseconds.
func tick(ms float64) string {
	if ms >= 999 {
		return fmt.Sprintf("%g s", math.Round(ms)/1000)
	}
	return fmt.Sprintf("%.3g ms", ms)
}

// stepOf is how far apart the labels of the time axis are.
func stepOf(seconds float64) float64 {
	for step := 1.0; ; step *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if seconds/(step*n) <= 15 {
				return step * n
			}
		}
	}
}

// second draws what one second shows alone.
func (p plotScale) second(put func(string, ...any), s second) {
	width := max(1, (plotRight-plotLeft)/p.seconds*0.7)
	middle := p.x((s.From + s.To) / 2)
	if h := p.bar(s.Deliveries); h > 0 {
		put(`<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="1"/>`, middle-width/2, deliversEnd-h, width, h)
		put(`<circle class="max" cx="%.1f" cy="%.1f" r="2"/>`, middle, p.y(s.Max))
	}
	if s.Reconnects > 0 {
		put(`<path class="back" d="M%.1f %d V%d"/><text x="%.1f" y="%d" class="small backtext">%s</text>`,
			middle, latencyTop, latencyEnd, middle+4, latencyTop+10, grouped(s.Reconnects))
	}
}

// path joins the seconds that had deliveries; where there were none the line is broken.
func (p plotScale) path(seconds []second, kind string) string {
	var b strings.Builder
	command := 'M'
	for _, s := range seconds {
		if s.Deliveries == 0 {
			command = 'M'
			continue
		}
		ms := s.P50
		if kind == "p99" {
			ms = s.P99
		}
		fmt.Fprintf(&b, "%c%.1f %.1f ", command, p.x((s.From+s.To)/2), p.y(ms))
		command = 'L'
	}
	return strings.TrimSpace(b.String())
}
