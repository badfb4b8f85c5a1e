// One person's view of the plan, and the buttons that make trouble.

import { Client } from '/planrooms/planrooms.js';
import { Session } from './api.js';
import { clock, describe, nameOf } from './describe.js';
import { Model } from './model.js';
import { Stream } from './stream.js';
import { TaskList } from './tasklist.js';

const USERS = ['alice', 'bob', 'carol', 'mallory'];
const NEXT_STATUS = { not_started: 'in_progress', in_progress: 'completed', completed: 'not_started' };
const BADGES = {
  idle: 'Offline', connecting: 'Connecting', joining: 'Connecting', recovering: 'Connecting', live: 'Live', waiting: 'Offline',
  denied: 'No access', stopped: 'Ended',
};
const LOADED = {
  joined: '', not_recovered: 'what was missed is no longer to be had', resync: 'the server asked for it', gap: 'an event was lost',
  overflow: 'too much happened at once',
};
const LOG_LINES = 200;
const FACES = 6;
const SHORT_TTL = '5s';

export class Pane {
  element = document.querySelector('#pane').content.firstElementChild.cloneNode(true);

  #planId;
  #user;
  #session;
  #client;
  #plan; // as the client has it
  #stream;
  #model;
  #list;
  #titles = new Map(); // of all tasks there have been
  #shown = ''; // the status that the log has told last
  #lastLive = ''; // until when what was missed has happened
  #missed = 0;
  #noticeTimer;
  #drawDue = false;

  constructor(planId, user) {
    this.#planId = planId;
    this.#user = user;
    const select = this.#part('.user');
    for (const u of USERS) select.add(new Option(nameOf(u), u));
    select.value = user;
    select.addEventListener('change', () => this.#switchTo(select.value));
    this.#part('.cut').addEventListener('click', () => this.#cut());
    this.#part('.reconnect').addEventListener('click', () => this.#reconnect());
    this.#part('.expire').addEventListener('click', () => this.#expire());
    this.#part('.add').addEventListener('submit', (event) => this.#add(event));
    this.#list = new TaskList(this.#part('.tasks'), {
      cycle: (t) => this.#patch(t, { status: NEXT_STATUS[t.status] }),
      rename: (t, title) => this.#patch(t, { title }),
      remove: (t) => this.#change('DELETE', `/api/tasks/${t.id}`, undefined, () => ({ type: 'task-deleted', data: { taskId: t.id } })),
      reorder: (taskIds) => this.#change('POST', `/api/plans/${this.#planId}/tasks/reorder`, { taskIds },
        () => ({ type: 'task-reordered', data: { taskIds } })),
      editing: (id) => this.#plan.setPresence(id && { editing: id }),
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
    this.#client = new Client({ getToken: (request) => session.getToken(request) });
    this.#stream = new Stream({
      planId: this.#planId, session, model,
      on: {
        changed: ours(() => this.#draw()),
        loaded: ours((reason) => this.#loaded(reason)),
        event: ours((message, own) => this.#heard(message, own)),
      },
    });
    const stream = this.#stream;
    this.#lastLive = '';
    this.#shown = '';
    this.#plan = this.#client.join(this.#planId, {
      load: ({ reason }) => stream.load(reason),
      onEvent: (event) => stream.push(event),
      onReceipt: (receipt) => stream.push(receipt),
      onJoin: ours((answer) => this.#joined(answer)),
      onUserJoined: ours(({ userName }) => this.#log(`${userName} came`, 'presence')),
      onUserLeft: ours(({ userId }) => this.#log(`${nameOf(userId)} left`, 'presence')),
      onChange: ours(() => { this.#showStatus(); this.#showPeople(); }),
      onError: ours(({ code, message }) => this.#log(`${code}: ${message}`, 'net')),
    });
    this.#client.on('change', ours(() => this.#showStatus()));
    this.element.setAttribute('aria-label', `${nameOf(this.#user)}’s view`);
    const face = this.#part('.face');
    face.dataset.user = this.#user;
    face.textContent = nameOf(this.#user)[0];
    this.#draw();
    this.#showStatus();
  }

  #switchTo(user) {
    this.#client.close();
    this.#user = user;
    this.#part('.log').replaceChildren();
    this.open();
  }

  // --- what the person does ---

  #cut() {
    this.#session.offline = true;
    this.#client.disconnect();
    this.#notify('Cut off. What happens now comes with the reconnect.');
  }

  #reconnect() {
    this.#session.offline = false;
    this.#notify('');
    this.#client.reconnect();
  }

  async #change(method, path, body, asEvent) {
    this.#notify('');
    try {
      await this.#stream.change(this.#client, method, path, body, asEvent);
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
      await this.#client.renew();
    } catch (err) {
      this.#notify(`Not done: ${err.message}.`, 'bad');
    }
  }

  // --- what the person sees ---

  #showStatus() {
    const { status, error } = this.#plan;
    if (status === this.#shown) return;
    this.#shown = status;
    this.element.dataset.status = status;
    const usable = !['idle', 'denied', 'stopped'].includes(status);
    this.#part('.board').inert = !usable;
    this.#part('.cut').disabled = !usable;
    this.#part('.reconnect').disabled = ['live', 'connecting', 'joining', 'recovering'].includes(status);
    this.#part('.expire').disabled = status !== 'live';
    const why = error && (typeof error.code === 'number' ? `closed ${error.code}: ${error.message}` : error.message);
    if (status === 'denied') {
      this.#model.load(new Model());
      this.#draw();
      this.#notify(`${nameOf(this.#user)} cannot open this plan: ${error.message}.`, 'bad');
    } else if (status === 'stopped') {
      this.#notify(`The connection is over (${why}).`, 'bad');
    }
    const { retryAt } = this.#client;
    const when = retryAt ? `; again in ${((retryAt - Date.now()) / 1000).toFixed(1)} s` : '';
    this.#log((status !== 'live' && why ? `${status}: ${why}` : status) + when, status === 'live' ? 'good' : 'net');
    this.#showTime();
  }

  #showTime() {
    let badge = BADGES[this.#plan.status];
    if (this.#client.retryAt) badge += `, again in ${Math.max(0, Math.ceil((this.#client.retryAt - Date.now()) / 1000))} s`;
    setText(this.#part('.badge'), badge);
    const left = Math.ceil((this.#session.expiresAt - Date.now()) / 1000);
    const token = this.#part('.token');
    setText(token, left > 0 ? `token ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : '');
    token.classList.toggle('soon', left <= 10);
  }

  #showPeople() {
    const { participants, participantCount } = this.#plan;
    const shown = participants.slice(0, FACES).map((p) => {
      const li = document.createElement('li');
      li.textContent = p.userId === this.#user ? `${p.userName} (you)` : p.userName;
      li.dataset.user = p.userId;
      li.classList.toggle('lingering', p.connections === 0);
      if (p.connections === 0) li.title = 'has just gone';
      return li;
    });
    this.#part('.people').replaceChildren(...shown);
    const others = participantCount - shown.length;
    this.#part('.count').textContent = others > 0 && shown.length > 0 ? `and ${others} more` : participantCount > 0 ? `${participantCount} here` : '';
    this.#draw();
  }

  #joined({ recovered, timestamp }) {
    const back = this.#lastLive !== '';
    this.#lastLive = timestamp;
    if (!back || !recovered) return;
    this.#missed = 0; // what was missed follows now
    this.#resumed();
  }

  #resumed() {
    this.#notify(this.#missed === 0
      ? 'Resumed: nothing was missed.'
      : `Resumed: ${this.#missed} missed ${this.#missed === 1 ? 'event' : 'events'} received.`, 'good');
  }

  #loaded(reason) {
    const why = LOADED[reason] ?? reason;
    this.#log(why ? `plan loaded anew: ${why}` : 'plan loaded', 'net');
    if (why) this.#notify(`Loaded anew: ${why}.`, 'good');
  }

  #heard(message, own) {
    const event = own ?? message;
    if (message.timestamp <= this.#lastLive) {
      this.#missed++;
      this.#resumed();
    }
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
      for (const { userId, userName, state } of this.#plan.participants) {
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
