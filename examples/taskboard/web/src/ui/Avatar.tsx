const HUES = 8;

interface AvatarProps {
  name: string;
  /** What it says; empty where the name stands next to it. Default: the name. */
  label?: string;
  faded?: boolean;
}

/** A person as a coloured disc with initials. */
export function Avatar({ name, label = name, faded = false }: AvatarProps) {
  const named = label ? { role: 'img', 'aria-label': label, title: label } : { 'aria-hidden': true };
  // The initials are drawn by the style sheet: they are no text of whatever the avatar stands in.
  return <span className="avatar" data-initials={initialsOf(name)} data-hue={hueOf(name)} data-faded={faded || undefined} {...named} />;
}

/** Up to two letters: of the first name and the last. */
function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase() || '?';
}

// The same person has the same colour everywhere.
function hueOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
