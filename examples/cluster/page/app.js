// Starts the panes, and shows twice a second what the demonstration says of itself.

import { getState, turn } from './api.js';
import { draw } from './drawing.js';
import { Pane } from './pane.js';
import { NODE_ACTIONS, SERVER_ACTIONS, showNode, showServer, Switches } from './switches.js';

const PEOPLE = [
  ['ada', 'Ada'],
  ['ben', 'Ben'],
  ['cyd', 'Cyd'],
];
const POLL_MS = 500;
const ALARM_MS = 8000;

const $ = (selector) => document.querySelector(selector);
const panes = [];
const nodes = new Map(); // name -> Switches
const servers = new Map();
let run = '';
let paused = false;
let alarmUntil = 0;

start();

async function start() {
  $('#publishing').addEventListener('click', () => turnAndReport(`publisher/${paused ? 'resume' : 'pause'}`));
  $('#leader').addEventListener('click', () => turnAndReport('servers/leader/kill'));
  for (;;) {
    try {
      show(await getState());
      if (Date.now() > alarmUntil) $('#alarm').hidden = true;
    } catch (error) {
      report(`The demonstration does not answer: ${error.message}`);
      alarmUntil = 0; // until it answers
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

function show(state) {
  if (run && run !== state.run) location.reload(); // it was started again: its numbers begin at 1
  if (!run) build(state);
  run = state.run;
  for (const pane of panes) pane.connectedTo(state.clients[pane.clientId] ?? '');
  for (const node of state.nodes) showNode(nodes.get(node.name), node, state.canPause);
  for (const server of state.servers) showServer(servers.get(server.name), server);
  draw($('#drawing'), state, panes);
  showTiles(state);
  paused = state.published.paused;
  $('#publishing').textContent = paused ? 'Continue publishing' : 'Pause publishing';
  $('#leader').hidden = state.outside;
  $('#leader').disabled = !state.stream.leader;
  const { first, last, leader, problem } = state.stream;
  const leads = leader ? `led by ${leader}` : `no leader at present${problem && ` (${problem})`}`;
  $('#log-state').textContent = `Log: records ${number(first)} to ${number(last)}, ${leads}`;
}

// build creates what depends on the number of nodes and servers.
function build(state) {
  const names = state.nodes.map((n) => n.name);
  for (const name of names) nodes.set(name, new Switches('node', name, NODE_ACTIONS, report));
  for (const { name } of state.servers) servers.set(name, new Switches('server', name, SERVER_ACTIONS, report));
  $('#nodes').append(...[...nodes.values()].map((s) => s.element));
  $('#servers').append(...[...servers.values()].map((s) => s.element));
  if (state.outside) $('#servers').textContent = `They run elsewhere: ${state.nats}`;
  PEOPLE.forEach(([user, name], i) => {
    panes.push(new Pane(user, name, names[i], names));
  });
  $('#panes').append(...panes.map((p) => p.element));
  $('#command').textContent = `go run . nodes -nats ${state.nats} -cluster ${state.cluster}`;
  for (const name of [...names, ...servers.keys()]) {
    const link = document.createElement('a');
    link.href = `api/logs/${name}`;
    link.textContent = name;
    $('#logs').append(' ', link);
  }
}

function showTiles({ published, viewers }) {
  const all = [...viewers, ...panes.map((p) => p.checker)];
  const sum = (key) => all.reduce((total, v) => total + v[key], 0);
  const behind = published.changes - Math.min(...all.map((v) => v.last));
  const wrong = sum('doubled') + sum('disordered');
  const waits = published.problem ? 'the next one is being repeated' : `longest wait ${seconds(published.longestMs)}`;
  tile('published', published.changes, published.paused ? 'paused' : waits);
  tile('delivered', sum('delivered'), `to ${all.length} viewers; the last is ${Math.max(0, behind)} behind`);
  tile('lost', sum('lost'), 'skipped and never seen', sum('lost') > 0 ? 'bad' : 'good');
  tile('doubled', sum('doubled'), `seen twice; ${sum('disordered')} out of order`, wrong > 0 ? 'bad' : 'good');
  tile('resumed', sum('resumed'), 'reconnected without a reload');
  tile('reloaded', sum('reloaded'), 'had to load the plan again');
}

function tile(name, value, note, tone = '') {
  const element = $(`[data-tile="${name}"]`);
  element.dataset.tone = tone;
  element.querySelector('.value').textContent = number(value);
  element.querySelector('.note').textContent = note;
}

async function turnAndReport(path) {
  try {
    await turn(path);
  } catch (error) {
    report(error.message);
  }
}

function report(message) {
  $('#alarm').textContent = message;
  $('#alarm').hidden = false;
  alarmUntil = Date.now() + ALARM_MS;
}

const number = (n) => n.toLocaleString('en-GB');
const seconds = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
