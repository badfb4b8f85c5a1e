// The list of tasks: draws it without disturbing a user who types in it, and reports what the user
// wants to do.

import { isolated, of, plain, show } from './text.js';

const STATUS_NAMES = { not_started: 'not started', in_progress: 'in progress', completed: 'completed' };
const NEXT_NAMES = { not_started: 'start', in_progress: 'complete', completed: 'put back' };

export class TaskList {
  #root;
  #template = document.querySelector('#task').content.firstElementChild;
  // {cycle(task), rename(task, title), remove(task), reorder(taskIds), editing(taskId or null)}
  #do;
  #tasks = [];
  #rows = new Map(); // task id -> li
  #flashing = new Set();
  #drawing = false; // while a row moves it loses the focus, which does not end an edit
  #dragged = null;

  constructor(root, actions) {
    this.#root = root;
    this.#do = actions;
    root.addEventListener('dragover', (event) => this.#dragOver(event));
    root.addEventListener('dragleave', (event) => {
      if (!root.contains(event.relatedTarget)) this.#mark(null);
    });
    root.addEventListener('drop', (event) => this.#drop(event));
  }

  /** Marks a task as just changed by another user, at the next render. */
  flash(id) {
    this.#flashing.add(id);
  }

  /** editors says who edits a task: task id -> {userId, userName}. */
  render(tasks, editors) {
    this.#tasks = tasks;
    this.#drawing = true;
    const focused = this.#root.contains(document.activeElement) ? document.activeElement : null;
    const present = new Set(tasks.map((t) => t.id));
    for (const [id, row] of this.#rows) {
      if (present.has(id)) continue;
      if (row.contains(focused)) this.#do.editing(null);
      row.remove();
      this.#rows.delete(id);
    }
    let before = this.#root.firstElementChild;
    tasks.forEach((task, i) => {
      const row = this.#rows.get(task.id) ?? this.#newRow(task.id);
      this.#fill(row, task, i, editors.get(task.id));
      if (row === before) before = before.nextElementSibling;
      else this.#root.insertBefore(row, before);
    });
    if (focused?.isConnected && document.activeElement !== focused) {
      focused.focus({ preventScroll: true });
    }
    this.#drawing = false;
  }

  #newRow(id) {
    const row = this.#template.cloneNode(true);
    row.dataset.id = id;
    const task = () => this.#tasks.find((t) => t.id === id);
    const click = (selector, f) => row.querySelector(selector).addEventListener('click', f);
    click('.status', () => this.#do.cycle(task()));
    click('.title', () => this.#edit(row, task()));
    click('.up', () => this.#move(id, -1));
    click('.down', () => this.#move(id, 1));
    click('.delete', () => this.#do.remove(task()));
    const handle = row.querySelector('.handle');
    handle.addEventListener('dragstart', (event) => {
      this.#dragged = id;
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', task().title);
      const box = row.getBoundingClientRect();
      event.dataTransfer.setDragImage(row, event.clientX - box.left, event.clientY - box.top);
      requestAnimationFrame(() => row.classList.add('dragged')); // after the image was taken
    });
    handle.addEventListener('dragend', () => {
      this.#dragged = null;
      row.classList.remove('dragged');
      this.#mark(null);
    });
    this.#rows.set(id, row);
    return row;
  }

  #fill(row, task, i, editor) {
    const part = (selector) => row.querySelector(selector);
    row.dataset.status = task.status;
    const name = isolated(task.title);
    const status = STATUS_NAMES[task.status];
    part('.title').textContent = plain(task.title);
    part('.title').title = 'Click to edit';
    label(part('.status'), `${name}: ${status}`, `${status}; click to ${NEXT_NAMES[task.status]}`);
    label(part('.up'), `Move ${name} up`, 'Move up');
    label(part('.down'), `Move ${name} down`, 'Move down');
    label(part('.delete'), `Delete ${name}`, 'Delete');
    // Not disabled: a user who moves a task to the end would lose the focus.
    part('.up').setAttribute('aria-disabled', i === 0);
    part('.down').setAttribute('aria-disabled', i === this.#tasks.length - 1);
    show(part('.editors'), editor ? [of(editor.userName), ' is editing'] : []);
    part('.editors').dataset.user = editor?.userId ?? '';
    if (this.#flashing.delete(task.id)) {
      row.classList.remove('changed');
      void row.offsetWidth; // restarts an animation that is running
      row.classList.add('changed');
    }
  }

  #edit(row, task) {
    const title = row.querySelector('.title');
    const input = document.createElement('input');
    input.className = 'edit';
    input.dir = 'auto';
    input.value = task.title;
    input.setAttribute('aria-label', `Title of ${isolated(task.title)}`);
    let over = false;
    const finish = (save) => {
      if (over) return;
      over = true;
      const focused = document.activeElement === input;
      input.remove();
      title.hidden = false;
      if (focused) title.focus();
      this.#do.editing(null);
      const text = input.value.trim();
      if (save && text && text !== task.title) this.#do.rename(task, text);
    };
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return; // this Enter belongs to the input method
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault(); // or Enter would press the title, which has the focus now
      finish(event.key === 'Enter');
    });
    input.addEventListener('blur', () => {
      if (!this.#drawing) finish(true);
    });
    title.hidden = true;
    title.after(input);
    input.focus();
    input.select();
    this.#do.editing(task.id);
  }

  #move(id, by) {
    const ids = this.#tasks.map((t) => t.id);
    const from = ids.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= ids.length) return;
    ids.splice(from, 1);
    ids.splice(to, 0, id);
    this.#do.reorder(ids);
  }

  // --- dragging ---

  // Where a dragged row would go: before or after the row under the pointer.
  #target(event) {
    const row = event.target.closest('.task');
    if (!row) return null;
    const box = row.getBoundingClientRect();
    return { row, after: event.clientY > box.top + box.height / 2 };
  }

  #dragOver(event) {
    if (!this.#dragged) return; // from elsewhere, such as the other pane
    event.preventDefault();
    event.dataTransfer.dropEffect = 'move';
    this.#mark(this.#target(event));
  }

  #mark(target) {
    for (const row of this.#rows.values()) {
      row.classList.toggle('drop-before', row === target?.row && !target.after);
      row.classList.toggle('drop-after', row === target?.row && target.after);
    }
  }

  #drop(event) {
    if (!this.#dragged) return;
    event.preventDefault();
    const target = this.#target(event);
    this.#mark(null);
    if (!target || target.row.dataset.id === this.#dragged) return;
    const was = this.#tasks.map((t) => t.id);
    const ids = was.filter((id) => id !== this.#dragged);
    if (ids.length === was.length) return; // deleted meanwhile
    ids.splice(ids.indexOf(target.row.dataset.id) + (target.after ? 1 : 0), 0, this.#dragged);
    if (ids.some((id, i) => id !== was[i])) this.#do.reorder(ids);
  }
}

function label(element, name, tip) {
  element.setAttribute('aria-label', name);
  element.title = tip;
}
