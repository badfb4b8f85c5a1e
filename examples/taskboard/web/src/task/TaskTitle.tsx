import { useEffect, useRef, type KeyboardEvent } from 'react';
import type { VisibleTask } from '../plan/pendingChanges';
import { maxTitleLength, type KnownTask, type TaskFields } from '../taskboard';
import { useDraft } from './useDraft';

export interface EditProps {
  task: VisibleTask;
  editable: boolean;
  onSave(base: KnownTask, fields: TaskFields): void;
  onEditing(taskId: string | null): void;
}

/** The title, which becomes a field when it is clicked. Enter saves, and so does leaving the field; Escape does not. */
export function TaskTitle({ task, editable, onSave, onEditing }: EditProps) {
  const draft = useDraft({
    task, onEditing, field: 'title',
    onSave: (base, text) => {
      const title = text.trim();
      if (title && title !== base.title) onSave(base, { title });
    },
  });
  const button = useRef<HTMLButtonElement>(null);
  const byKey = useRef(false); // focus goes back to the title only if it would be lost otherwise
  const writing = draft.text !== null;
  useEffect(() => {
    if (writing || !byKey.current) return;
    byKey.current = false;
    button.current?.focus();
  }, [writing]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    byKey.current = true;
    if (event.key === 'Enter') draft.save();
    else draft.cancel();
  };

  if (!editable) return <span className="task-title">{task.title}</span>;
  if (!writing) {
    return (
      <button ref={button} type="button" className="task-title" title="Rename" aria-label={`Rename ${task.title}`} onClick={draft.begin}>
        {task.title}
      </button>
    );
  }
  return (
    <input
      className="task-title-field"
      aria-label={`Title of ${task.title}`}
      autoFocus
      value={draft.text ?? ''}
      maxLength={maxTitleLength}
      onFocus={(event) => event.target.select()}
      onChange={(event) => draft.write(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={draft.save}
      autoComplete="off"
    />
  );
}
