import { useEffect, useId, useRef, useState } from 'react';
import type { KnownTask } from '../taskboard';
import { useWorkspace } from '../workspace';

interface DraftOptions {
  task: KnownTask;
  field: 'title' | 'notes';
  onSave(base: KnownTask, text: string): void;
  onEditing(taskId: string | null): void;
}

/**
 * The text of a field while a person edits it. The change is based on the task as it was when
 * editing began, so changes of others neither disturb the text nor are overwritten unnoticed. A
 * field that is removed is saved, like one that loses the focus.
 */
export function useDraft({ task, field, onSave, onEditing }: DraftOptions) {
  const { drafts } = useWorkspace();
  const id = useId();
  const [text, setText] = useState<string | null>(null); // null: not being edited
  const base = useRef(task);

  const end = () => {
    setText(null);
    drafts.delete(id);
    onEditing(null);
  };
  const save = () => {
    if (text === null) return;
    end();
    if (text !== base.current[field]) onSave(base.current, text);
  };

  const last = useRef({ text, save });
  useEffect(() => {
    last.current = { text, save };
  });
  useEffect(
    () => () => {
      if (last.current.text !== null) last.current.save();
    },
    [],
  );

  return {
    text,
    begin() {
      base.current = task;
      setText(task[field]);
      onEditing(task.id);
    },
    write(next: string) {
      setText(next);
      if (next === base.current[field]) drafts.delete(id);
      else drafts.add(id);
    },
    save,
    cancel: end,
  };
}
