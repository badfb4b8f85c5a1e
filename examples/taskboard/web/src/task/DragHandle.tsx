import type { DraggableAttributes, DraggableSyntheticListeners } from '@dnd-kit/core';
import type { Ref } from 'react';
import { plain } from '../ui/text';

interface DragHandleProps {
  ref: Ref<HTMLButtonElement>;
  title: string;
  disabled: boolean;
  tabIndex: number;
  attributes: DraggableAttributes;
  listeners: DraggableSyntheticListeners;
}

/** Drags a task. The rest of the row is left to scrolling and to its controls. */
export function DragHandle({ ref, title, disabled, tabIndex, attributes, listeners }: DragHandleProps) {
  return (
    <button
      ref={ref}
      type="button"
      className="icon-button handle"
      {...attributes}
      {...listeners}
      tabIndex={tabIndex}
      data-column="handle"
      aria-label={`Move ${plain(title)}`}
      disabled={disabled}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M6 3.5v.01M6 8v.01M6 12.5v.01M10 3.5v.01M10 8v.01M10 12.5v.01" /></svg>
    </button>
  );
}
