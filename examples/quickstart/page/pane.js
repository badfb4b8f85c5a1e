// One person's view of the plan, and the buttons that make trouble.

import { Session } from './api.js';
import { PlanClient } from './client.js';
import { clock, describe, describePresence, nameOf } from './describe.js';
import { Model } from './model.js';
import { TaskList } from './tasklist.js';

const USERS = ['alice', 'bob', 'carol', 'mallory'];
const NEXT_STATUS = { not_started: 'in_progress', in_progress: 'completed', completed: 'not_started' };
const BADGES = { idle: 'Offline', connecting: 'Connecting', live: 'Live', waiting: 'Offline', denied: 'No access', ended: 'Ended' };
const LOG_LINES = 200;
const FACES = 6;
const SHORT_TTL = '5s';

export class Pane {
  element = document.querySelector('#pane').content.firstElementChild.cloneNode(true);

  #planId;
  #user;
  #session;
  #client;
  #model;
  #list;
  #titles = new Map(); // of all tasks there have been
  #retryAt = 0;
  #noticeTimer;
  #drawDue = false;

  constructor(planId, user) {
    this.#planId = planId;
    this.#user = user;
    const select = this.#part('.user');
    for (const u of USERS) select.add(new Option(nameOf(u), u));
    select.value = user;
    select.addEventListener('change', () => this.#switchTo(select.value));
    this.#part('.cut').addEventListener('click', () => this.#client.cut());
    this.#part('.reconnect').addEventListener('click', () => this.#client.start());
    this.#part('.expire').addEventListener('click', () => this.#expire());
    this.#part('.add').addEventListener('submit', (event) => this.#add(event));
    this.#list = new TaskList(this.#part('.tasks'), {
      cycle: (t) => this.#patch(t, { status: NEXT_STATUS[t.status] }),
      rename: (t, title) => this.#patch(t, { title }),
      remove: (t) => this.#change('DELETE', `/api/tasks/${t.id}`, undefined, () => ({ type: 'task-deleted', data: { taskId: t.id } })),
      reorder: (taskIds) => this.#change('POST', `/api/plans/${this.#planId}/tasks/reorder`, { taskIds },
        () => ({ type: 'task-reordered', data: { taskIds } })),
      editing: (id) => this.#client.setState(id && { editing: id }),
    });
    setInterval(() => this.#showTime(), 250);
  }

  open() {
    const session = new Session(this.#user);
    const model = new Model();
    // A pane that goes over to another person must not hear of the one before.
    const ours = (f) => (...args) => { if (this.#session === session) f(...args); };
    this.#session = session;
    this.#model = model;
    this.#client = new PlanClient({
      planId: this.#planId, session, model,
      on: {
        status: ours((...args) => this.#showStatus(...args)),
        changed: ours(() => this.#draw()),
        loaded: ours((why) => this.#loaded(why)),
        event: ours((message, own) => this.#heard(message, own)),
        presence: ours((message) => this.#showPeople(message)),
        resumed: ours((count) => this.#notify(count === 0
          ? 'Resumed: nothing was missed.'
          : `Resumed: ${count} missed ${count === 1 ? 'event' : 'events'} received.`, 'good')),
        note: ours((text) => this.#log(text, 'net')),
      },
    });
    this.element.setAttribute('aria-label', `${nameOf(this.#user)}’s view`);
    const face = this.#part('.face');
    face.dataset.user = this.#user;
    face.textContent = nameOf(this.#user)[0];
    this.#draw();
    this.#client.start();
  }

  wake() {
    this.#client.wake();
  }

  #switchTo(user) {
    this.#client.leave();
    this.#user = user;
    this.#part('.log').replaceChildren();
    this.open();
  }

  // --- what the person does ---

  async #change(method, path, body, asEvent) {
    this.#notify('');
    try {
      await this.#client.change(method, path, body, asEvent);
      return true;
    } catch (err) {
      this.#notify(`Not done: ${err.message}.`, 'bad');
      this.#log(`${method} ${path}: ${err.message}`, 'bad');
      return false;
    }
  }

  #patch(task, fields) {
    return this.#change('PATCH', `/api/tasks/${task.id}`, fields, (t) => ({ type: 'task-updated', data: { task: t } }));
  }

  async #add(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const title = form.elements.title.value.trim();
    if (!title) return;
    form.reset();
    const done = await this.#change('POST', `/api/plans/${this.#planId}/tasks`, { title },
      (task) => ({ type: 'task-created', data: { task } }));
    if (!done && !form.elements.title.value) form.elements.title.value = title;
  }

  async #expire() {
    try {
      await this.#session.login(SHORT_TTL);
      this.#log(`logged in for ${SHORT_TTL}, and will not renew it`, 'net');
      this.#client.useToken();
    } catch (err) {
      this.#notify(`Not done: ${err.message}.`, 'bad');
    }
  }

  // --- what the person sees ---

  #showStatus(status, text, retryAt) {
    const was = this.element.dataset.status;
    this.element.dataset.status = status;
    this.#retryAt = retryAt;
    const usable = ['live', 'connecting', 'waiting'].includes(status);
    this.#part('.board').inert = !usable;
    this.#part('.cut').disabled = !usable;
    this.#part('.reconnect').disabled = status === 'live' || status === 'connecting';
    this.#part('.expire').disabled = status !== 'live';
    if (status === 'denied') {
      this.#model.load(new Model());
      this.#draw();
      this.#notify(`${nameOf(this.#user)} cannot open this plan: ${text}.`, 'bad');
    } else if (status === 'ended') {
      this.#notify(`The connection is over (${text}).`, 'bad');
    } else if (status === 'idle') {
      this.#notify('Cut off. What happens now comes with the reconnect.');
    } else if (status === 'connecting' && was !== 'waiting') {
      this.#notify('');
    }
    const when = retryAt ? `; again in ${((retryAt - Date.now()) / 1000).toFixed(1)} s` : '';
    this.#log(text ? text + when : status, status === 'live' ? 'good' : 'net');
    this.#showTime();
  }

  #showTime() {
    const { status } = this.#client;
    let badge = BADGES[status];
    if (status === 'waiting') badge += `, again in ${Math.max(0, Math.ceil((this.#retryAt - Date.now()) / 1000))} s`;
    setText(this.#part('.badge'), badge);
    const left = Math.ceil((this.#session.expiresAt - Date.now()) / 1000);
    const token = this.#part('.token');
    setText(token, left > 0 ? `token ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : '');
    token.classList.toggle('soon', left <= 10);
  }

  #showPeople(message) {
    const { people, count } = this.#client;
    const shown = [...people.values()].slice(0, FACES).map((p) => {
      const li = document.createElement('li');
      li.textContent = p.userId === this.#user ? `${p.userName} (you)` : p.userName;
      li.dataset.user = p.userId;
      li.classList.toggle('lingering', p.lingering);
      if (p.lingering) li.title = 'has just gone';
      return li;
    });
    this.#part('.people').replaceChildren(...shown);
    const others = count - shown.length;
    this.#part('.count').textContent = others > 0 && shown.length > 0 ? `and ${others} more` : count > 0 ? `${count} here` : '';
    if (message) {
      const text = describePresence(message);
      if (text) this.#log(text, 'presence', message);
    }
    this.#draw();
  }

  #loaded(why) {
    this.#log(why ? `plan loaded anew: ${why}` : 'plan loaded', 'net');
    if (why) this.#notify(`Loaded anew: ${why}.`, 'good');
  }

  #heard(message, own) {
    const event = own ?? message;
    if (event.data?.task && message.by !== this.#user) this.#list.flash(event.data.task.id);
    this.#log(describe(message, own, this.#titles), message.type === 'receipt' ? 'own' : 'event', message);
  }

  #draw() {
    for (const t of this.#model.tasks) this.#titles.set(t.id, t.title);
    if (this.#drawDue) return;
    this.#drawDue = true;
    requestAnimationFrame(() => {
      this.#drawDue = false;
      const { tasks, progress } = this.#model;
      const editors = new Map();
      for (const { userId, userName, state } of this.#client.people.values()) {
        if (state?.editing && userId !== this.#user) editors.set(state.editing, { userId, userName });
      }
      this.#list.render(tasks, editors);
      this.#part('progress').value = progress.completionPercentage;
      this.#part('.done').textContent = progress.totalTasks > 0
        ? `${progress.completedTasks} of ${progress.totalTasks} done`
        : 'no tasks';
    });
  }

  #notify(text, tone = '') {
    const notice = this.#part('.notice');
    notice.textContent = text;
    notice.dataset.tone = tone;
    clearTimeout(this.#noticeTimer);
    if (tone === 'good') this.#noticeTimer = setTimeout(() => this.#notify(''), 10_000);
  }

  #log(text, tone, message) {
    const line = document.createElement('li');
    line.className = tone;
    const time = document.createElement('time');
    time.textContent = clock(message?.timestamp ?? Date.now());
    const what = document.createElement('span');
    what.textContent = text;
    line.append(time, what);
    line.dataset.user = message?.data?.userId ?? '';
    if (message?.seq) {
      const seq = document.createElement('span');
      seq.className = 'seq';
      seq.textContent = `#${message.seq}`;
      seq.title = `${message.type}, after #${message.prev}`;
      line.append(seq);
    }
    const log = this.#part('.log');
    log.prepend(line);
    while (log.childElementCount > LOG_LINES) log.lastElementChild.remove();
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // a live region speaks at every change
}
