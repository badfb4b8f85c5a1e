import type { DraggableAttributes, DraggableSyntheticListeners } from '@dnd-kit/core';
import type { Ref } from 'react';

interface DragHandleProps {
  ref: Ref<HTMLButtonElement>;
  title: string;
  disabled: boolean;
  attributes: DraggableAttributes;
  listeners: DraggableSyntheticListeners;
}

/** Where a task is taken to be moved. The rest of the row stays free for scrolling and for its controls. */
export function DragHandle({ ref, title, disabled, attributes, listeners }: DragHandleProps) {
  return (
    <button
      ref={ref}
      type="button"
      className="icon-button handle"
      {...attributes}
      {...listeners}
      aria-label={`Move ${title}`}
      disabled={disabled}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M6 3.5v.01M6 8v.01M6 12.5v.01M10 3.5v.01M10 8v.01M10 12.5v.01" /></svg>
    </button>
  );
}
