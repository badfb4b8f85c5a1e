import { useState } from 'react';
import { quoted } from '../plan/changeText';
import type { KnownTask } from '../taskboard';
import { Dialog } from '../ui/Dialog';

/** Deletes a task once that has been confirmed: it can't be had back. */
export function DeleteTask({ task, onDelete }: { task: KnownTask; onDelete(task: KnownTask): void }) {
  const [base, setBase] = useState<KnownTask | null>(null); // as it was when the question was asked
  return (
    <>
      <button type="button" className="button danger" aria-label={`Delete ${task.title}`} onClick={() => setBase(task)}>Delete…</button>
      {base && (
        <Dialog title={`Delete ${quoted(base.title)}?`} onClose={() => setBase(null)}>
          <p>It goes for everybody, with its notes, and does not come back.</p>
          <div className="dialog-actions">
            <button type="button" className="button" onClick={() => setBase(null)}>Keep it</button>
            <button type="button" className="button danger solid" onClick={() => { setBase(null); onDelete(base); }}>Delete task</button>
          </div>
        </Dialog>
      )}
    </>
  );
}
