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
 * The text of a field while it is being written. It is a change of the task as it was when the writing began: what others do to the task meanwhile
 * neither disturbs the text nor is overwritten by it unseen. A field that goes away is saved like one that is left.
 */
export function useDraft({ task, field, onSave, onEditing }: DraftOptions) {
  const { drafts } = useWorkspace();
  const id = useId();
  const [text, setText] = useState<string | null>(null); // null: nobody writes
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
  useEffect(() => { last.current = { text, save }; });
  useEffect(() => () => { if (last.current.text !== null) last.current.save(); }, []);

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
