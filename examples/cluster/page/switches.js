// The switches of a node and of a NATS server.

import { turn } from './api.js';
import { nodeState, tenureLeft } from './drawing.js';

/** A card with the buttons of a node or a server, of which those are shown that make sense. */
export class Switches {
  element = document.querySelector('#node').content.firstElementChild.cloneNode(true);

  constructor(kind, name, actions, report) {
    this.element.dataset[kind] = name;
    this.element.setAttribute('aria-label', name);
    this.#part('.name').textContent = name;
    for (const button of this.element.querySelectorAll('button')) {
      const { action } = button.dataset;
      if (!actions.includes(action)) {
        button.remove();
        continue;
      }
      button.addEventListener('click', async () => {
        try {
          await turn(`${kind}s/${name}/${action}`);
        } catch (error) {
          report(`${name}: ${error.message}`);
        }
      });
    }
  }

  /** Shows the state, and the buttons of these actions. */
  show(words, tone, problem, pid, actions) {
    const badge = this.#part('.badge');
    badge.textContent = words;
    badge.dataset.tone = tone;
    this.#part('.problem').textContent = problem;
    this.#part('.pid').textContent = pid ? `process ${pid}` : '';
    for (const button of this.element.querySelectorAll('button'))
      button.hidden = !actions.includes(button.dataset.action);
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }
}

export const NODE_ACTIONS = ['kill', 'start', 'restart', 'pause', 'resume', 'cut', 'stall', 'connect'];
export const SERVER_ACTIONS = ['kill', 'start'];

export function showNode(card, node, canPause) {
  const { text, tone } = nodeState(node);
  const actions = [];
  if (node.process === 'down') actions.push('start');
  else actions.push('kill');
  if (node.process === 'running') actions.push('restart');
  if (canPause && node.process === 'running') actions.push('pause');
  if (node.process === 'paused') actions.push('resume');
  if (node.link === 'open') actions.push('cut', 'stall');
  else if (node.link) actions.push('connect');
  card.show(text, tone, problemOf(node), node.pid, actions);
}

function problemOf(node) {
  if (node.process === 'paused') {
    const left = tenureLeft(node);
    return left > 0 ? `its tenure ends in ${left.toFixed(0)} s` : 'its tenure has ended';
  }
  if (node.process === 'starting') return '';
  return node.problem.replace(/^room: the node is not ready: /, '');
}

export function showServer(card, server) {
  const up = server.process === 'running';
  const words = up ? (server.leader ? 'Leader' : 'Running') : 'Down';
  card.show(words, up ? 'good' : 'bad', '', server.pid, [up ? 'kill' : 'start']);
}
