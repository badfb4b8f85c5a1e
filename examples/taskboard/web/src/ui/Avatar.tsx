import { graphemes, plain } from './text';

const HUES = 8;

interface AvatarProps {
  name: string;
  /** Its text; empty if the name is next to it. Default: the name. */
  label?: string;
  faded?: boolean;
}

/** A person as a coloured disc with initials. */
export function Avatar({ name, label = name, faded = false }: AvatarProps) {
  const named = label ? { role: 'img', 'aria-label': plain(label), title: plain(label) } : { 'aria-hidden': true };
  // The style sheet draws the initials, so they are not part of the text around the avatar.
  return (
    <span
      className="avatar"
      data-initials={initialsOf(name)}
      data-hue={hueOf(name)}
      data-faded={faded || undefined}
      {...named}
    />
  );
}

/** Up to two letters: of the first name and the last. */
function initialsOf(name: string): string {
  const words = plain(name).trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return (
    letters
      .map((word) => graphemes(word ?? '')[0] ?? '')
      .join('')
      .toUpperCase() || '?'
  );
}

// The same person has the same colour everywhere.
function hueOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
