import { useState, type FormEvent } from 'react';
import { maxTitleLength } from '../taskboard';
import { isolated, limited, shortened, titleOf } from '../ui/text';

/**
 * Adds a task at the end of the list. The field comes before the tasks and stays there for the
 * next one.
 */
export function NewTask({ onAdd }: { onAdd(title: string): void }) {
  const [title, setTitle] = useState('');
  const [added, setAdded] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const task = titleOf(title);
    if (!task) return;
    onAdd(task);
    setTitle('');
    setAdded(task);
  };
  const show = () => {
    const rows = document.querySelectorAll<HTMLElement>('.task');
    const last = rows.item(rows.length - 1);
    last?.scrollIntoView({ block: 'center' });
    last?.querySelector<HTMLElement>('.task-title')?.focus({ preventScroll: true });
  };
  return (
    <>
      <form className="new-task" onSubmit={submit}>
        <input
          aria-label="New task"
          dir="auto"
          placeholder="Add a task"
          value={title}
          onChange={(event) => {
            setTitle(limited(event.target.value, maxTitleLength));
            setAdded('');
          }}
          enterKeyHint="done"
          autoComplete="off"
        />
        <button type="submit" className="button">
          Add
        </button>
      </form>
      <div className="added">
        <p role="status" className="quiet">
          {added && `Added at the end: ${isolated(shortened(added, 60))}`}
        </p>
        {added && (
          <button type="button" className="button small" onClick={show}>
            Go to it
          </button>
        )}
      </div>
    </>
  );
}
