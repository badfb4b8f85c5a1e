/** How much is done, as a line and in words. */
export function ProgressBar({ done, of, label }: { done: number; of: number; label: string }) {
  return (
    <div className="progress">
      <progress value={done} max={of || 1} aria-label={label} />
      <span className="progress-text">{of === 0 ? 'No tasks yet' : `${done} of ${of} done`}</span>
    </div>
  );
}
