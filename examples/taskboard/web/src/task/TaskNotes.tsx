import { useId } from 'react';
import { maxNotesLength } from '../taskboard';
import { limited } from '../ui/text';
import type { EditProps } from './TaskTitle';
import { useDraft } from './useDraft';

/** The notes, saved when the focus leaves the field. */
export function TaskNotes({ task, editable, onSave, onEditing }: EditProps) {
  const hint = useId();
  const draft = useDraft({ task, onEditing, field: 'notes', onSave: (base, notes) => onSave(base, { notes }) });
  return (
    <div className="field">
      <label htmlFor={`${hint}-field`}>Notes</label>
      <textarea
        id={`${hint}-field`}
        rows={3}
        readOnly={!editable}
        dir="auto"
        value={draft.text ?? task.notes}
        aria-describedby={hint}
        onFocus={() => {
          if (editable) draft.begin();
        }}
        onChange={(event) => draft.write(limited(event.target.value, maxNotesLength))}
        onBlur={draft.save}
      />
      <span id={hint} className="quiet">
        {editable ? 'Saved when you leave the field.' : ''}
      </span>
    </div>
  );
}
