// The operators' page. It asks for JSON every two seconds while it can be seen, and shows it as
// text: no value of the server becomes markup.

// Beside this page, wherever it is mounted: a URL with a query alone keeps the path of the page.
const beside = (query) => new URL(`?${query}`, document.baseURI.split('#')[0]).href;
const { answerFor, at, eventText, meaning, noteText } = await import(beside('file=why.js'));

const EVERY = 2000;
const TIMEOUT = 15_000;

const $ = (id) => document.getElementById(id);
const chosen = new URLSearchParams(location.hash.slice(1)); // plan, user, seq: kept across a reload

// Bidi controls in an ID would reorder the text around it.
const plain = (text) => String(text).replace(/[\u202a-\u202e\u2066-\u2069]/gu, '');
const number = (n) => Number(n).toLocaleString();
const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

function ago(text, now) {
  const s = Math.max(0, Math.round((new Date(now) - new Date(text)) / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 86_400 ? `${Math.floor(s / 3600)} h ago` : at(text);
}

// setText changes the text only if it differs, so that a screen reader does not repeat it.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function element(tag, className, text = '') {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.textContent = text;
  return e;
}

// update shows items as the children of a list, and keeps the child of a key, and its focus.
function update(list, items, key, make, change) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = old.get(name);
    old.delete(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    change(child, item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

// pairs shows names and values in a <dl>.
function pairs(list, items) {
  update(
    list,
    items,
    ([name]) => name,
    ([name]) => {
      const div = element('div');
      div.append(element('dt', '', name), element('dd'));
      return div;
    },
    (div, [, value, tone]) => {
      setText(div.lastElementChild, value);
      if (tone) div.dataset.tone = tone;
      else delete div.dataset.tone;
    },
  );
}

// row makes an entry that can be chosen.
function row(choose) {
  const li = element('li');
  const button = element('button');
  button.type = 'button';
  const name = element('bdi', 'name');
  button.append(name, element('span', 'end'), element('span', 'more'));
  button.addEventListener('click', choose);
  li.append(button);
  return li;
}

function fill(li, name, end, more, pressed) {
  const button = li.firstElementChild;
  setText(button.children[0], plain(name));
  setText(button.children[1], end);
  setText(button.children[2], more);
  if (pressed !== undefined) button.setAttribute('aria-pressed', String(pressed));
}

// lines shows names and counts.
function lines(list, items, empty) {
  update(
    list,
    items,
    ([name]) => name,
    ([name]) => {
      const li = element('li');
      li.append(element('span', 'name', plain(name)), element('span', 'end'));
      return li;
    },
    (li, [, value]) => setText(li.lastElementChild, value),
  );
  empty.hidden = items.length > 0;
}

function choose(values) {
  for (const [name, value] of Object.entries(values)) {
    if (value) chosen.set(name, value);
    else chosen.delete(name);
  }
  history.replaceState(null, '', `#${chosen}`);
  refresh();
}

function showStats(s) {
  pairs($('tiles'), [
    ['Connections', number(s.connections)],
    ['Users', number(s.users)],
    ['Rooms', number(s.rooms)],
    ['People in rooms', number(s.participants)],
    ['History', bytes(s.historyBytes)],
    ['Events sent', number(s.broadcasts)],
    ['Resyncs', number(s.resyncs), s.resyncs ? 'wait' : ''],
    ['Closed as too slow', number(s.tooSlow), s.tooSlow ? 'bad' : ''],
    ['Joins refused', number(s.denied)],
    [
      'Access checks waiting',
      number(s.joinsWaiting + s.rechecksWaiting),
      s.joinsWaiting + s.rechecksWaiting ? 'wait' : '',
    ],
    ['Access checks overdue', number(s.authorizeOverdue), s.authorizeOverdue ? 'bad' : ''],
    ['Events evicted', number(s.evicted), s.evicted ? 'wait' : ''],
  ]);
  $('shutdown').hidden = !s.shuttingDown;
  if (s.shuttingDown) {
    setText(
      $('shutdown'),
      `The server is shutting down: open connections: ${number(s.connections)}, being closed: ${number(s.closing)}.`,
    );
  }
  const byCount = (a, b) => b[1] - a[1];
  const counts = (map) => Object.entries(map).sort(byCount);
  lines(
    $('refused'),
    counts(s.refused).map(([name, n]) => [name.replaceAll('_', ' '), number(n)]),
    $('refused-empty'),
  );
  lines(
    $('closed'),
    counts(s.closed).map(([code, n]) => [code === '0' ? 'other codes' : `${code}: ${meaning(code)}`, number(n)]),
    $('closed-empty'),
  );
}

function showRooms(v) {
  update(
    $('rooms'),
    v.rooms,
    (r) => r.planId,
    (r) => row(() => open(r.planId)),
    (li, r) => {
      fill(
        li,
        r.planId,
        count(r.participants, 'person', 'people'),
        `event ${number(r.position.seq)} · ${count(r.connections, 'connection')}${r.lagging ? `, ${number(r.lagging)} behind` : ''} · ${bytes(r.historyBytes)} · ${ago(r.lastActivity, v.now)}`,
        r.planId === chosen.get('plan'),
      );
    },
  );
  setText(
    $('rooms-count'),
    v.rooms.length < v.matching
      ? `${number(v.rooms.length)} of ${number(v.matching)}`
      : `${number(v.matching)} of ${number(v.total)}`,
  );
  $('rooms-empty').hidden = v.rooms.length > 0;
  setText($('rooms-empty'), v.total ? 'No plan matches the search.' : 'No room is open.');
}

function showRoom(v) {
  const plan = chosen.get('plan');
  const r = v.room;
  $('room').hidden = !r;
  $('room-empty').hidden = Boolean(r);
  setText($('room-plan'), plan ? plain(plan) : '');
  setText($('room-empty'), plan ? 'There is no room for this plan now.' : 'Choose a room.');
  if (!r) return;
  pairs($('facts'), [
    ['Position', `${r.position.epoch} · ${r.position.seq}`],
    ['Events in the history', number(r.events)],
    ['Memory of the history', bytes(r.historyBytes)],
    ['Connections', `${number(r.connections)}, ${number(r.lagging)} behind`],
    ['Last event or join', ago(r.lastActivity, v.now)],
  ]);
  lines(
    $('behind'),
    r.laggingConnections.map((c) => [
      `${c.userId}, client ${c.clientId}`,
      `has event ${number(c.written)}${c.since ? `, slow since ${at(c.since)}` : ''}`,
    ]),
    $('behind-empty'),
  );
  update(
    $('people'),
    r.people,
    (p) => p.userId,
    (p) => row(() => ask(chosen.get('plan'), p.userId, $('people').dataset.seq)),
    (li, p) => {
      fill(
        li,
        p.userName || p.userId,
        p.connections ? count(p.connections, 'connection') : 'just left',
        `${plain(p.userId)} · joined ${ago(p.joinedAt, v.now)} · last message ${ago(p.lastActivity, v.now)} · last byte ${ago(p.lastSeen, v.now)}`,
      );
    },
  );
  $('people').dataset.seq = r.position.seq;
  setText(
    $('people-count'),
    r.people.length < r.peopleMatching
      ? `${number(r.people.length)} of ${number(r.peopleMatching)}`
      : `${number(r.peopleMatching)} of ${number(r.participants)}`,
  );
  $('people-empty').hidden = r.people.length > 0;
  setText($('people-empty'), r.participants ? 'No user matches the search.' : 'No user is in this room.');
}

function showAnswer(v) {
  const x = v.explanation;
  if (!x) return;
  setText($('answer-event'), eventText(x));
  update(
    $('answers'),
    x.connections,
    (c) => `${c.connectionId} ${c.joinedAt ?? ''}`,
    () => {
      const li = element('li');
      li.append(element('span', 'badge'), element('span'), element('p', 'soft'));
      return li;
    },
    (li, c) => {
      const answer = answerFor(c, x);
      li.dataset.tone = answer.tone;
      setText(li.children[0], answer.label);
      setText(li.children[1], plain(answer.text));
      setText(li.children[2], plain(answer.detail));
    },
  );
  setText($('answer-note'), noteText(x));
}

// open shows a room, and drops the question about another one.
function open(plan) {
  const form = $('ask').elements;
  form.plan.value = plan;
  $('answers').replaceChildren();
  setText($('answer-event'), 'Choose a person above, or enter a user ID.');
  setText($('answer-note'), '');
  choose({ plan, user: '', seq: '' });
}

// ask puts a question into the form and asks it.
function ask(plan, user, seq) {
  const form = $('ask').elements;
  form.plan.value = plan;
  form.user.value = user;
  if (seq > 0) form.seq.value = seq;
  if ($('ask').reportValidity()) choose({ plan, user, seq: form.seq.value });
}

let asking; // the request that is on its way
let timer;

function query() {
  const q = new URLSearchParams({ format: 'json', sort: $('sort').value });
  if ($('search').value) q.set('search', $('search').value);
  if (!chosen.get('plan')) return q;
  q.set('plan', chosen.get('plan'));
  if ($('person').value) q.set('person', $('person').value);
  if (chosen.get('user') && chosen.get('seq')) {
    q.set('user', chosen.get('user'));
    q.set('seq', chosen.get('seq'));
  }
  return q;
}

function state(tone, text) {
  $('state').dataset.tone = tone;
  setText($('state'), text);
}

let answeredAt = '';

// refresh asks now, and again after EVERY.
async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  if (document.hidden) {
    state('wait', 'Paused');
    return;
  }
  const mine = new AbortController();
  asking = mine;
  try {
    const response = await fetch(beside(query()), {
      signal: AbortSignal.any([mine.signal, AbortSignal.timeout(TIMEOUT)]),
    });
    if (response.status === 400) {
      state('bad', 'Invalid query');
      setText($('answer-event'), plain(await response.text()));
      $('answers').replaceChildren();
      return;
    }
    if (!response.ok) throw new Error(`status ${response.status}`);
    const view = await response.json();
    if (mine.signal.aborted) return;
    showStats(view.stats);
    showRooms(view);
    showRoom(view);
    showAnswer(view);
    answeredAt = at(view.now);
    state('good', 'Live');
  } catch {
    if (mine.signal.aborted) return; // a newer request is on its way
    state('bad', answeredAt ? `No answer since ${answeredAt}` : 'No answer');
  } finally {
    if (asking === mine) timer = setTimeout(refresh, EVERY);
  }
}

$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const { plan, user, seq } = $('ask').elements;
  choose({ plan: plan.value.trim(), user: user.value.trim(), seq: seq.value.trim() });
});
for (const id of ['search', 'sort', 'person']) $(id).addEventListener('input', () => refresh());
document.addEventListener('visibilitychange', () => refresh());
for (const name of ['plan', 'user', 'seq']) $('ask').elements[name].value = chosen.get(name) ?? '';
refresh();
