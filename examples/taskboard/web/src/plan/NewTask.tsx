import { useState, type FormEvent } from 'react';
import { maxTitleLength } from '../taskboard';

/** Adds a task at the end. The field stays where it is, for the next one. */
export function NewTask({ onAdd }: { onAdd(title: string): void }) {
  const [title, setTitle] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = title.trim();
    if (!trimmed) return;
    onAdd(trimmed);
    setTitle('');
  };
  return (
    <form className="new-task" onSubmit={submit}>
      <input
        aria-label="New task"
        placeholder="Add a task"
        value={title}
        maxLength={maxTitleLength}
        onChange={(event) => setTitle(event.target.value)}
        enterKeyHint="done"
        autoComplete="off"
      />
      <button type="submit" className="button">Add</button>
    </form>
  );
}
