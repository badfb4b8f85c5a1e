// The page: two panes, each with a user, a token and a connection, and a crowd of viewers.

import { Announcer } from './announcer.js';
import { Pane } from './pane.js';
import { Viewers } from './viewers.js';

const PLAN = 'demo';
const MEMBERS = ['alice', 'bob', 'carol'];
const VIEWERS = 50; // a user can have 20 connections, and the panes need some of them

const announcer = new Announcer(document.querySelector('#announcer'));
const panes = ['alice', 'bob'].map((user) => new Pane(PLAN, user, announcer));
document.querySelector('#panes').append(...panes.map((p) => p.element));
for (const pane of panes) pane.open();

const button = document.querySelector('#viewers');
const crowd = document.querySelector('#crowd');
let due = false;

function showCrowd() {
  if (due) return; // each event arrives fifty times
  due = true;
  requestAnimationFrame(() => {
    due = false;
    const { open, live, refused, received } = viewers;
    button.textContent = open ? 'Close the viewers' : `Open ${VIEWERS} viewers`;
    const parts = [`${live} live`];
    if (received) parts.push(`${received.toLocaleString('en')} events received`);
    if (refused.count) parts.push(`${refused.count} refused (${refused.code})`);
    crowd.textContent = open ? parts.join(', ') : '';
    if (!open) announcer.set(viewers, '');
    else if (live + refused.count === VIEWERS) announcer.set(viewers, `Viewers: ${live} live.`);
  });
}

const viewers = new Viewers(PLAN, showCrowd);
button.addEventListener('click', async () => {
  if (viewers.open) {
    viewers.close();
    return;
  }
  button.disabled = true;
  try {
    await viewers.add(VIEWERS, MEMBERS);
  } catch (err) {
    crowd.textContent = err.message;
    announcer.set(viewers, err.message);
  }
  button.disabled = false;
});
