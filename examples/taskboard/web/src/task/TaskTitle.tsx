import { useEffect, useRef, type KeyboardEvent } from 'react';
import type { VisibleTask } from '../plan/pendingChanges';
import { maxTitleLength, type KnownTask, type TaskFields } from '../taskboard';
import { limited, plain, titleOf } from '../ui/text';
import { useDraft } from './useDraft';

export interface EditProps {
  task: VisibleTask;
  editable: boolean;
  onSave(base: KnownTask, fields: TaskFields): void;
  onEditing(taskId: string | null): void;
}

/** The title. A click turns it into a field. Enter and leaving the field save; Escape cancels. */
export function TaskTitle({ task, editable, onSave, onEditing, tabIndex }: EditProps & { tabIndex: number }) {
  const draft = useDraft({
    task,
    onEditing,
    field: 'title',
    onSave: (base, text) => {
      const title = titleOf(text);
      if (title && title !== base.title) onSave(base, { title });
    },
  });
  const button = useRef<HTMLButtonElement>(null);
  const byKey = useRef(false); // the focus returns to the title only if it would be lost otherwise
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

  if (!editable)
    return (
      <span className="task-title">
        <bdi>{plain(task.title)}</bdi>
      </span>
    );
  if (!writing) {
    return (
      <button
        ref={button}
        type="button"
        className="task-title"
        title="Rename"
        tabIndex={tabIndex}
        data-column="title"
        aria-label={`Rename ${plain(task.title)}`}
        onClick={draft.begin}
      >
        <bdi>{plain(task.title)}</bdi>
      </button>
    );
  }
  return (
    <input
      className="task-title-field"
      dir="auto"
      aria-label={`Title of ${plain(task.title)}`}
      // biome-ignore lint/a11y/noAutofocus: the user has just asked to edit the title
      autoFocus
      value={draft.text ?? ''}
      onFocus={(event) => event.target.select()}
      onChange={(event) => draft.write(limited(event.target.value, maxTitleLength))}
      onKeyDown={onKeyDown}
      onBlur={draft.save}
      autoComplete="off"
    />
  );
}
