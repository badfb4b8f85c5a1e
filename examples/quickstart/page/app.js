// The page: two panes, each with a person, a token and a connection of its own, and a crowd of viewers.

import { Pane } from './pane.js';
import { Viewers } from './viewers.js';

const PLAN = 'demo';
const MEMBERS = ['alice', 'bob', 'carol'];
const VIEWERS = 50; // a user can have 20 connections, and the panes need some of them

const panes = ['alice', 'bob'].map((user) => new Pane(PLAN, user));
document.querySelector('#panes').append(...panes.map((p) => p.element));
for (const pane of panes) pane.open();

const button = document.querySelector('#viewers');
const crowd = document.querySelector('#crowd');
let due = false;

function showCrowd() {
  if (due) return; // one event is heard fifty times
  due = true;
  requestAnimationFrame(() => {
    due = false;
    const { open, live, refused, heard } = viewers;
    button.textContent = open ? 'Close the viewers' : `Open ${VIEWERS} viewers`;
    const parts = [`${live} live`];
    if (heard) parts.push(`${heard.toLocaleString('en')} events heard`);
    if (refused.count) parts.push(`${refused.count} refused (${refused.code})`);
    crowd.textContent = open ? parts.join(', ') : '';
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
  }
  button.disabled = false;
});
