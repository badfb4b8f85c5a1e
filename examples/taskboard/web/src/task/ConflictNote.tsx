import { useEffect } from 'react';
import { nameOf } from '../plan/changeText';
import { differences, type Conflict } from '../plan/conflict';
import type { PlanChanges } from '../plan/usePlanChanges';
import { statusNames, type KnownTask, type PlanDetail, type TaskFields } from '../taskboard';
import { plain } from '../ui/text';
import { useWorkspace } from '../workspace';

const fieldNames = { title: 'title', notes: 'notes', status: 'status', assignee: 'assignee' };

interface ConflictNoteProps {
  conflict: Conflict;
  /** The task as it is now, without changes of this page. */
  theirs: KnownTask;
  plan: PlanDetail;
  changes: PlanChanges;
}

/** Shows two changes of the same field, and lets the person decide. */
export function ConflictNote({ conflict, theirs, plan, changes }: ConflictNoteProps) {
  const workspace = useWorkspace();
  const end = () => workspace.setConflict(theirs.id, null);
  const who = plain(nameOf(plan, theirs.changedBy));
  const whose = theirs.changedBy ? (
    <>
      <bdi>{who}</bdi>’s
    </>
  ) : (
    'Their'
  );
  const fields = conflict.kind === 'update' ? differences(conflict.mine, theirs) : [];
  // Both have the same values now.
  const settled = conflict.kind === 'update' && fields.length === 0;
  useEffect(() => {
    if (settled) workspace.setConflict(theirs.id, null);
  }, [settled, workspace, theirs.id]);
  if (settled) return null;

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the controls of a form
    <div className="conflict" role="group" aria-label={`Conflict about ${plain(theirs.title)}`} data-testid="conflict">
      <p role="alert">
        <strong>
          <bdi>{who}</bdi> changed this in the meantime.
        </strong>
        {conflict.kind === 'delete' && ' It was not deleted.'}
      </p>
      {conflict.kind === 'update' &&
        fields.map((field) => (
          <dl key={field} className="versions">
            <div data-testid="mine">
              <dt>Your {fieldNames[field]}</dt>
              <dd dir="auto">{shown(plan, conflict.mine, field)}</dd>
            </div>
            <div data-testid="theirs">
              <dt>
                {whose} {fieldNames[field]}
              </dt>
              <dd dir="auto">{shown(plan, theirs, field)}</dd>
            </div>
          </dl>
        ))}
      <div className="conflict-actions">
        <button
          type="button"
          className="button small primary"
          onClick={() => {
            end();
            if (conflict.kind === 'delete') changes.remove(theirs);
            else changes.update(theirs, conflict.mine);
          }}
        >
          {conflict.kind === 'delete' ? 'Delete anyway' : 'Keep mine'}
        </button>
        <button type="button" className="button small" onClick={end}>
          {conflict.kind === 'delete' ? 'Keep the task' : 'Take theirs'}
        </button>
      </div>
    </div>
  );
}

function shown(plan: PlanDetail, fields: TaskFields, field: keyof TaskFields): string {
  switch (field) {
    case 'status':
      return fields.status ? statusNames[fields.status] : '';
    case 'assignee':
      return fields.assignee ? plain(nameOf(plan, fields.assignee)) : 'Unassigned';
    default:
      return plain(fields[field] ?? '') || '(empty)';
  }
}
