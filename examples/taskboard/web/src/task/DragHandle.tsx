import type { HTMLAttributes, RefAttributes } from 'react';
import { plain } from '../ui/text';

export interface DragHandleProps {
  title: string;
  disabled: boolean;
  tabIndex: number;
  /** What makes the button move its task. */
  move?: HTMLAttributes<HTMLButtonElement> & RefAttributes<HTMLButtonElement>;
}

/** Drags a task. The rest of the row is left to scrolling and to its controls. */
export function DragHandle({ title, disabled, tabIndex, move }: DragHandleProps) {
  return (
    <button
      type="button"
      className="icon-button handle"
      {...move}
      tabIndex={tabIndex}
      data-column="handle"
      aria-label={`Move ${plain(title)}`}
      disabled={disabled}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M6 3.5v.01M6 8v.01M6 12.5v.01M10 3.5v.01M10 8v.01M10 12.5v.01" />
      </svg>
    </button>
  );
}
