// One user's view of the plan, and the buttons that cause interruptions.

import { Client } from '/planrooms/planrooms.js';
import { Session } from './api.js';
import { clock, describe, nameOf } from './describe.js';
import { Model } from './model.js';
import { Stream } from './stream.js';
import { TaskList } from './tasklist.js';
import { of, show, spoken } from './text.js';

const USERS = ['alice', 'bob', 'carol', 'mallory'];
const NEXT_STATUS = {
  not_started: 'in_progress',
  in_progress: 'completed',
  completed: 'not_started',
};
// What a pane shows in each status of a plan. The list can be used unless `closed`, and the user
// can reconnect if `down`. `says` is announced; a status without it soon changes to another one.
const STATUSES = {
  idle: { badge: 'Offline', closed: true, down: true, says: 'offline' },
  connecting: { badge: 'Connecting' },
  joining: { badge: 'Connecting' },
  recovering: { badge: 'Connecting' },
  loading: { badge: 'Loading' },
  live: { badge: 'Live', says: 'live' },
  waiting: { badge: 'Offline', down: true, says: 'offline' },
  denied: { badge: 'No access', closed: true, down: true, says: 'no access' },
  stopped: { badge: 'Ended', closed: true, down: true, says: 'connection ended' },
};
const OTHER_STATUS = { badge: 'Connecting' }; // of a later version of the client
const RELOADED = {
  not_recovered: 'the missed events are no longer available',
  resync: 'the server requested it',
  gap: 'an event was lost',
  overflow: 'too many events arrived at once',
  unanswered: 'a change of this page received no response',
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
  #titles = new Map(); // of all tasks so far, by ID
  #shown = ''; // the status in the last line of the log
  #lastLive = ''; // events before this time were missed
  #missed = 0;
  #noticeTimer;
  #drawDue = false;
  #announcer;

  constructor(planId, user, announcer) {
    this.#planId = planId;
    this.#announcer = announcer;
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
      remove: (t) =>
        this.#change('DELETE', `/api/tasks/${t.id}`, undefined, () => ({
          type: 'task-deleted',
          data: { taskId: t.id },
        })),
      reorder: (taskIds) =>
        this.#change('POST', `/api/plans/${this.#planId}/tasks/reorder`, { taskIds }, () => ({
          type: 'task-reordered',
          data: { taskIds },
        })),
      editing: (id) => this.#plan.setPresence(id && { editing: id }),
    });
    setInterval(() => this.#showTime(), 250);
  }

  open() {
    const session = new Session(this.#user);
    const model = new Model();
    // After a switch to another user, callbacks of the previous user must change nothing.
    const ours =
      (f) =>
      (...args) => {
        if (this.#session === session) f(...args);
      };
    this.#session = session;
    this.#model = model;
    this.#client = new Client({ getToken: (request) => session.getToken(request) });
    this.#stream = new Stream({
      planId: this.#planId,
      session,
      model,
      on: {
        changed: ours(() => this.#draw()),
        loaded: ours((reason) => this.#loaded(reason)),
        event: ours((message, own) => this.#received(message, own)),
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
      onUserJoined: ours(({ userName }) => this.#log([of(userName), ' came'], 'presence')),
      onUserLeft: ours(({ userId }) => this.#log([of(nameOf(userId)), ' left'], 'presence')),
      onChange: ours(() => {
        this.#showStatus();
        this.#showPeople();
      }),
      onError: ours(({ code, message }) => this.#log([`${code}: ${message}`], 'net')),
    });
    this.#client.on(
      'change',
      ours(() => this.#showStatus()),
    );
    this.element.setAttribute('aria-label', `${nameOf(this.#user)}’s view`);
    this.#notify([]); // the previous user's
    const face = this.#part('.face');
    face.dataset.user = this.#user;
    face.textContent = nameOf(this.#user)[0];
    this.#draw();
    this.#showStatus();
  }

  #switchTo(user) {
    this.#client.close();
    this.#user = user;
    this.#part('.log ol').replaceChildren();
    this.open();
  }

  // --- what the user does ---

  #cut() {
    this.#session.offline = true;
    this.#client.disconnect();
    this.#notify(['Disconnected. You receive the missed events when you reconnect.']);
  }

  #reconnect() {
    this.#session.offline = false;
    this.#notify([]);
    this.#client.reconnect();
  }

  async #change(method, path, body, asEvent) {
    const session = this.#session;
    this.#notify([]);
    try {
      await this.#stream.change(this.#client, method, path, body, asEvent);
      return true;
    } catch (err) {
      if (this.#session !== session) return false;
      this.#notify([`The change failed: ${err.message}.`], 'bad');
      this.#log([`${method} ${path}: ${err.message}`], 'bad');
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
    const done = await this.#change('POST', `/api/plans/${this.#planId}/tasks`, { title }, (task) => ({
      type: 'task-created',
      data: { task },
    }));
    if (!done && !form.elements.title.value) form.elements.title.value = title;
  }

  async #expire() {
    const session = this.#session;
    try {
      await session.login(SHORT_TTL);
      if (this.#session !== session) return;
      this.#log([`logged in for ${SHORT_TTL}, without renewal`], 'net');
      await this.#client.renew();
    } catch (err) {
      if (this.#session === session) this.#notify([`The log-in failed: ${err.message}.`], 'bad');
    }
  }

  // --- what the user sees ---

  #showStatus() {
    const { status, error } = this.#plan;
    if (status === this.#shown) return;
    if (['denied', 'stopped'].includes(this.#shown)) this.#notify([]); // its reason
    this.#shown = status;
    this.element.dataset.status = status;
    const { closed, down, says } = STATUSES[status] ?? OTHER_STATUS;
    this.#part('.board').inert = Boolean(closed);
    this.#part('.cut').disabled = Boolean(closed);
    this.#part('.reconnect').disabled = !down;
    this.#part('.expire').disabled = status !== 'live';
    if (says) this.#announcer.set(this, `${nameOf(this.#user)}: ${says}.`);
    const code = typeof error?.code === 'number' ? `closed ${error.code}: ` : '';
    const why = error ? code + error.message : '';
    if (status === 'denied') {
      this.#model.load(new Model());
      this.#draw();
      const user = of(nameOf(this.#user));
      this.#notify([user, ` cannot open this plan: ${error.message}.`], 'bad');
    } else if (status === 'stopped') {
      this.#notify([`The connection has ended (${why}). Press Reconnect to log in again.`], 'bad');
    }
    const { retryAt } = this.#client;
    const when = retryAt ? `; next attempt in ${((retryAt - Date.now()) / 1000).toFixed(1)} s` : '';
    const line = status !== 'live' && why ? `${status}: ${why}` : status;
    this.#log([line + when], status === 'live' ? 'good' : 'net');
    this.#showTime();
  }

  #showTime() {
    let { badge } = STATUSES[this.#plan.status] ?? OTHER_STATUS;
    const { retryAt } = this.#client;
    if (retryAt) badge += `, again in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s`;
    setText(this.#part('.badge'), badge);
    const left = Math.ceil((this.#session.expiresAt - Date.now()) / 1000);
    const token = this.#part('.token');
    const seconds = String(left % 60).padStart(2, '0');
    setText(token, left > 0 ? `token ${Math.floor(left / 60)}:${seconds}` : '');
    token.classList.toggle('soon', left <= 10);
  }

  #showPeople() {
    const { participants, participantCount } = this.#plan;
    const shown = participants.slice(0, FACES).map((p) => {
      const li = document.createElement('li');
      show(li, p.userId === this.#user ? [of(p.userName), ' (you)'] : [of(p.userName)]);
      li.dataset.user = p.userId;
      li.classList.toggle('lingering', p.connections === 0);
      if (p.connections === 0) li.title = 'has just left';
      return li;
    });
    this.#part('.people').replaceChildren(...shown);
    const others = participantCount - shown.length;
    let count = participantCount > 0 ? `${participantCount} here` : '';
    if (others > 0 && shown.length > 0) count = `and ${others} more`;
    this.#part('.count').textContent = count;
    this.#draw();
  }

  #joined({ recovered, timestamp }) {
    const back = this.#lastLive !== '';
    this.#lastLive = timestamp;
    if (!back || !recovered) return;
    this.#missed = 0; // the missed events follow now
    this.#resumed();
  }

  #resumed() {
    const events = this.#missed === 1 ? 'event' : 'events';
    this.#notify(
      this.#missed === 0 ? ['Resumed: no event was missed.'] : [`Resumed: ${this.#missed} missed ${events} received.`],
      'good',
    );
  }

  #loaded(reason) {
    const why = RELOADED[reason];
    this.#log([why ? `plan reloaded: ${why}` : 'plan loaded'], 'net');
    if (why) this.#notify([`Plan reloaded: ${why}.`], 'good');
  }

  #received(message, own) {
    const event = own ?? message;
    if (message.timestamp <= this.#lastLive) {
      this.#missed++;
      this.#resumed();
    }
    if (event.data?.task && message.by !== this.#user) this.#list.flash(event.data.task.id);
    const tone = message.type === 'receipt' ? 'own' : 'event';
    this.#log(describe(message, own, this.#titles), tone, message);
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
        if (!state?.editing || userId === this.#user) continue;
        editors.set(state.editing, { userId, userName });
      }
      this.#list.render(tasks, editors);
      this.#part('progress').value = progress.completionPercentage;
      this.#part('.done').textContent =
        progress.totalTasks > 0 ? `${progress.completedTasks} of ${progress.totalTasks} done` : 'no tasks';
    });
  }

  #notify(parts, tone = '') {
    const notice = this.#part('.notice');
    show(notice, parts);
    notice.dataset.tone = tone;
    this.#announcer.set(notice, spoken(parts));
    clearTimeout(this.#noticeTimer);
    if (tone === 'good') this.#noticeTimer = setTimeout(() => this.#notify([]), 10_000);
  }

  #log(parts, tone, message) {
    const line = document.createElement('li');
    line.className = tone;
    const time = document.createElement('time');
    time.textContent = clock(message?.timestamp ?? Date.now());
    const what = document.createElement('span');
    show(what, parts);
    line.append(time, what);
    line.dataset.user = message?.data?.userId ?? '';
    if (message?.seq) {
      const seq = document.createElement('span');
      seq.className = 'seq';
      seq.textContent = `#${message.seq}`;
      seq.title = `${message.type}, after #${message.prev}`;
      line.append(seq);
    }
    const log = this.#part('.log ol');
    log.prepend(line);
    while (log.childElementCount > LOG_LINES) log.lastElementChild.remove();
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // keeps a selection of the text
}
