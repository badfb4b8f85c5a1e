// One viewer: a client of Plan rooms that checks what it receives.

import { Client, newId } from '/planrooms/planrooms.js';
import { getPlan, turn } from './api.js';
import { Checker } from './checker.js';

const PLAN = 'demo';
const LOG_LINES = 100;
// What a pane shows in each status of a plan.
const STATUSES = {
  idle: 'Offline',
  connecting: 'Connecting',
  joining: 'Connecting',
  recovering: 'Resuming',
  loading: 'Loading',
  live: 'Live',
  waiting: 'Reconnecting',
  denied: 'No access',
  stopped: 'Ended',
};
const RELOADED = {
  not_recovered: 'the node no longer has the missed events',
  resync: 'the server requested it',
  gap: 'an event was lost',
  overflow: 'too many events arrived at once',
};

export class Pane {
  element = document.querySelector('#pane').content.firstElementChild.cloneNode(true);
  checker = new Checker();
  clientId = newId();
  node = ''; // that it is connected with

  #name;
  #preferred;
  #plan;
  #joins = 0;
  #tasks = new Map(); // ID -> {element, task}
  #shown = '';
  #drawDue = false;

  constructor(user, name, preferred, nodes) {
    this.#name = name;
    this.#preferred = preferred;
    this.element.dataset.user = user;
    this.element.setAttribute('aria-label', `${name}’s view`);
    this.#part('.face').textContent = name[0];
    this.#part('h2').textContent = name;
    this.#part('.log').setAttribute('aria-label', `What happened to ${name}, newest first`);
    const buttons = this.#part('.buttons');
    buttons.setAttribute('aria-label', `Move ${name}`);
    for (const node of nodes) {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.node = node;
      button.textContent = `Move to ${node}`;
      button.addEventListener('click', () => this.#move(node));
      buttons.append(button);
    }
    const client = new Client({ url: `/ws?node=${preferred}`, clientId: this.clientId, getToken: () => user });
    this.#plan = client.join(PLAN, {
      load: ({ reason }) => this.#load(reason),
      onEvent: (event) => this.#event(event),
      onJoin: (answer) => this.#joined(answer),
      onChange: () => this.#draw(),
    });
    this.#draw();
  }

  get name() {
    return this.#name;
  }

  get live() {
    return this.#plan.status === 'live';
  }

  /** Shows the node that the balancer has connected this pane with. */
  connectedTo(node) {
    if (node === this.node) return;
    this.node = node;
    if (node) this.#say(`connected to ${node}`);
    this.#draw();
  }

  async #move(node) {
    try {
      await turn(`clients/${this.clientId}/${node}`);
    } catch (error) {
      this.#say(`not moved: ${error.message}`, 'bad');
    }
  }

  async #load(reason) {
    const plan = await getPlan(this.#preferred);
    if (reason !== 'joined') {
      this.checker.reloaded++;
      this.#say(`reloaded: ${RELOADED[reason] ?? reason}`, 'bad');
    }
    this.checker.load(plan.change);
    for (const task of plan.tasks) this.#show(task);
    this.#draw();
    return plan.position;
  }

  #joined({ recovered }) {
    if (this.#joins++ > 0 && recovered) {
      this.checker.resumed++;
      this.#say('resumed without a reload', 'good');
    }
  }

  #event(event) {
    const { task } = event.data;
    this.checker.event(task.change);
    this.#show(task);
    this.#draw();
  }

  #show(task) {
    let entry = this.#tasks.get(task.id);
    if (!entry) {
      const element = document.createElement('li');
      const title = document.createElement('span');
      const bar = document.createElement('progress');
      const change = document.createElement('span');
      bar.max = 100;
      bar.setAttribute('aria-label', task.title);
      change.className = 'change';
      element.append(title, bar, change);
      entry = { element, title, bar, change };
      this.#tasks.set(task.id, entry);
      this.#part('.tasks').append(element);
    }
    entry.task = task;
  }

  // Draws at most once a frame.
  #draw() {
    if (this.#drawDue) return;
    this.#drawDue = true;
    setTimeout(() => {
      this.#drawDue = false;
      this.#drawNow();
    }, 50);
  }

  #drawNow() {
    const { status, participants } = this.#plan;
    this.element.dataset.status = status;
    this.#part('.badge').textContent = STATUSES[status] ?? 'Connecting';
    this.#part('.on').textContent = this.node ? `on ${this.node}` : '';
    if (status !== this.#shown) {
      if (this.#shown === 'live' && status === 'waiting') this.#say('the connection ended');
      this.#shown = status;
    }
    this.#part('.people').replaceChildren(
      ...participants.map((p) => {
        const li = document.createElement('li');
        li.textContent = p.userName;
        li.dataset.user = p.userId;
        return li;
      }),
    );
    for (const { title, bar, change, task } of this.#tasks.values()) {
      title.textContent = task.title;
      bar.value = task.done;
      change.textContent = task.change;
    }
    const { delivered, lost, doubled, disordered, resumed, reloaded } = this.checker;
    const result = this.#part('.result');
    result.textContent =
      `${delivered} events: ${lost} lost, ${doubled} doubled, ${disordered} out of order. ` +
      `Resumed ${resumed}, reloaded ${reloaded}.`;
    result.dataset.tone = lost + doubled + disordered > 0 ? 'bad' : 'good';
    for (const button of this.element.querySelectorAll('[data-node]'))
      button.disabled = button.dataset.node === this.node;
  }

  #say(text, tone = '') {
    const li = document.createElement('li');
    const time = document.createElement('time');
    time.textContent = new Date().toLocaleTimeString('en-GB');
    const what = document.createElement('span');
    what.textContent = text;
    what.className = tone;
    li.append(time, what);
    const list = this.#part('.log ol');
    list.prepend(li);
    while (list.children.length > LOG_LINES) list.lastElementChild.remove();
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }
}
