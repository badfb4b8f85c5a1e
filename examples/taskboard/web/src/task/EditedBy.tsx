/** Says that others are writing in a task just now. */
export function EditedBy({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  const who = names.length > 2 ? `${names.length} people` : names.join(' and ');
  return <span className="tag editing" data-testid="editing">{who} {names.length === 1 ? 'is' : 'are'} editing…</span>;
}
