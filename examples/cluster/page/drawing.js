// Draws who is connected to whom: viewers, nodes, NATS servers.

const NS = 'http://www.w3.org/2000/svg';
const COLUMNS = [160, 480, 800]; // centres
const NODE = { top: 112, width: 252, height: 122 };
const SERVER = { top: 328, width: 200, height: 58 };
const VIEWER_Y = 36;
const TENURE_NS = 9.6e9; // what a beat extends it to
const STATES = { starting: 'Starting', running: 'Serving', paused: 'Paused', down: 'Down' };

/** What a node's badge says, and its tone. */
export function nodeState(node) {
  if (node.process === 'running' && node.problem) return { text: 'Not ready', tone: 'wait' };
  return { text: STATES[node.process], tone: { running: 'good', starting: 'wait' }[node.process] ?? 'bad' };
}

/** The time that is left of a node's tenure, in seconds, as far as is known. */
export function tenureLeft({ cluster, ageMs, process }) {
  if (process === 'down') return 0;
  return Math.max(0, cluster.tenureLeft / 1e9 - (process === 'paused' ? ageMs / 1e3 : 0));
}

/** Where the log ends, as far as the nodes know. */
function logEnd(nodes) {
  return Math.max(0, ...nodes.map(({ cluster }) => cluster.last));
}

/** The records that a node has yet to apply. */
export function lag(node, nodes) {
  return Math.max(0, logEnd(nodes) - node.cluster.applied);
}

export function draw(svg, state, panes) {
  const { nodes, servers, stream, viewers, clients, outside } = state;
  const boxes = outside ? [{ name: 'NATS', process: 'running', leader: false, outside: true }] : servers;
  const serverX = new Map(boxes.map((s, i) => [s.name, outside ? COLUMNS[1] : COLUMNS[i]]));
  const lines = svgOf('g', { class: 'lines' });
  const shapes = svgOf('g', {});

  // Viewers: the panes, and beside each of them a Go client.
  nodes.forEach((node, i) => {
    const pane = panes[i];
    const checker = viewers[i];
    for (const [viewer, x, id, round] of [
      [{ name: pane.name, live: pane.live, user: pane.element.dataset.user }, COLUMNS[i] - 42, pane.clientId, true],
      [{ name: 'Go', live: checker.live, user: 'checker' }, COLUMNS[i] + 42, checker.name, false],
    ]) {
      const to = nodes.findIndex((n) => n.name === clients[id]);
      if (to >= 0) {
        lines.append(curve(x, VIEWER_Y + 20, COLUMNS[to] + (x - COLUMNS[i]), NODE.top, viewer.live ? 'good' : 'wait'));
      }
      const group = svgOf('g', { class: `viewer ${to >= 0 && viewer.live ? '' : 'off'}`, 'data-user': viewer.user });
      group.append(
        round
          ? svgOf('circle', { cx: x, cy: VIEWER_Y, r: 20 })
          : svgOf('rect', { x: x - 20, y: VIEWER_Y - 16, width: 40, height: 32, rx: 9 }),
        text(viewer.name, x, VIEWER_Y + 5, 'middle'),
      );
      shapes.append(group);
    }

    // A node, and its connection to NATS.
    const x = COLUMNS[i];
    const left = x - NODE.width / 2;
    const { text: words, tone } = nodeState(node);
    const seconds = tenureLeft(node);
    const open = node.cluster.open && node.process !== 'down' && seconds > 0;
    const box = svgOf('g', { class: `box ${tone}` });
    box.append(
      svgOf('rect', { x: left, y: NODE.top, width: NODE.width, height: NODE.height, rx: 14, class: 'frame' }),
      text(node.name, left + 18, NODE.top + 30, 'start', 'name'),
      text(words, left + NODE.width - 18, NODE.top + 29, 'end', 'state'),
      svgOf('circle', { cx: left + 23, cy: NODE.top + 52, r: 5, class: open ? 'gate open' : 'gate shut' }),
      text(open ? 'gate open' : 'gate shut', left + 36, NODE.top + 57, 'start', 'small'),
      text(`tenure ${node.cluster.tenure}`, left + NODE.width - 18, NODE.top + 57, 'end', 'small'),
      svgOf('rect', { x: left + 18, y: NODE.top + 69, width: NODE.width - 36, height: 7, rx: 3.5, class: 'track' }),
      svgOf('rect', {
        x: left + 18,
        y: NODE.top + 69,
        width: Math.min(1, (seconds * 1e9) / TENURE_NS) * (NODE.width - 36),
        height: 7,
        rx: 3.5,
        class: open ? 'tenure open' : 'tenure',
      }),
      text(`applied ${node.cluster.applied.toLocaleString('en-GB')}`, left + 18, NODE.top + 102, 'start', 'small'),
      text(`lag ${lag(node, nodes)}`, left + NODE.width - 18, NODE.top + 102, 'end', 'small'),
    );
    shapes.append(box);
    drawLink(lines, shapes, node, x, serverX, outside);
  });

  // The servers, and the connections between them.
  boxes.forEach((server, i) => {
    const x = serverX.get(server.name);
    const up = server.process === 'running';
    const width = server.outside ? 420 : SERVER.width;
    const box = svgOf('g', { class: `box ${up ? 'good' : 'bad'} ${server.leader ? 'leader' : ''}` });
    const note = server.outside
      ? stream.leader && `led by ${stream.leader}`
      : server.leader
        ? '★ leader'
        : up
          ? 'follows'
          : 'down';
    box.append(
      svgOf('rect', { x: x - width / 2, y: SERVER.top, width, height: SERVER.height, rx: 12, class: 'frame' }),
      text(server.outside ? 'NATS' : server.name, x - width / 2 + 18, SERVER.top + 35, 'start', 'name'),
      text(note || 'no leader', x + width / 2 - 18, SERVER.top + 34, 'end', server.leader ? 'small lead' : 'small'),
    );
    shapes.append(box);
    for (let k = i + 1; k < boxes.length; k++) {
      const mesh = up && boxes[k].process === 'running';
      const bottom = SERVER.top + SERVER.height;
      const depth = k - i === 1 ? 24 : 44;
      lines.append(
        svgOf('path', {
          d: `M${x} ${bottom}C${x} ${bottom + depth} ${COLUMNS[k]} ${bottom + depth} ${COLUMNS[k]} ${bottom}`,
          class: mesh ? 'mesh' : 'mesh off',
        }),
      );
    }
  });
  svg.replaceChildren(lines, shapes);
  svg.setAttribute('aria-label', spoken(state));
}

// drawLink draws the connection of a node to NATS, with a sign where it is cut.
function drawLink(lines, shapes, node, x, serverX, outside) {
  const bottom = NODE.top + NODE.height;
  if (node.process === 'down' || node.process === 'starting') return;
  if (node.link === 'cut') {
    const y = (bottom + SERVER.top) / 2;
    lines.append(svgOf('path', { d: `M${x} ${bottom}V${y - 12}M${x} ${y + 12}V${SERVER.top}`, class: 'bad' }));
    shapes.append(svgOf('path', { d: `M${x - 9} ${y - 9}l18 18m0 -18l-18 18`, class: 'cross' }));
    return;
  }
  const to = outside ? COLUMNS[1] : serverX.get(node.server);
  if (to === undefined) return;
  lines.append(curve(x, bottom, to, SERVER.top, node.link === 'stalled' ? 'stalled' : 'good'));
}

function curve(x1, y1, x2, y2, tone) {
  const middle = (y1 + y2) / 2;
  return svgOf('path', { d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, class: tone });
}

function text(content, x, y, anchor, className = '') {
  const element = svgOf('text', { x, y, 'text-anchor': anchor, class: className });
  element.textContent = content;
  return element;
}

function svgOf(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// spoken describes the drawing in words, for screen readers.
function spoken({ nodes, servers, stream }) {
  const list = nodes.map((n) => `${n.name}: ${nodeState(n).text}${n.link === 'cut' ? ', cut from NATS' : ''}`);
  for (const s of servers) list.push(`${s.name}: ${s.process}${s.leader ? ', leads the stream' : ''}`);
  if (servers.length === 0) list.push(`NATS: ${stream.leader || 'no leader'}`);
  return `The cluster. ${list.join('. ')}.`;
}
