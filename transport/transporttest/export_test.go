package transporttest

import (
	"bufio"
	"io"
)

// Parser is the parser of a connection.
type Parser struct{ p parser }

// NewParser returns a parser that reads from r.
func NewParser(r io.Reader) *Parser { return &Parser{parser{r: bufio.NewReader(r)}} }

// Next calls parser.next.
func (p *Parser) Next() (Frame, error) { return p.p.next() }

// GoroutinesLeft is goroutinesLeft.
var GoroutinesLeft = goroutinesLeft
