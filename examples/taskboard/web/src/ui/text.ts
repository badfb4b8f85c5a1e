// Texts of people inside texts of the application.
//
// A title in Arabic or Hebrew, or one with control characters, must not reorder the words around
// it. Components wrap such texts in <bdi>; strings isolate them.

const directionControls = /[\u202A-\u202E\u2066-\u2069]/g;

/**
 * The text without controls of the writing direction. Titles of older databases may contain them.
 */
export const plain = (text: string) => text.replace(directionControls, '');

/**
 * The text for use inside a sentence: its writing direction does not affect the words around it.
 */
export const isolated = (text: string) => `\u2068${plain(text)}\u2069`;

const segmenter = new Intl.Segmenter();

/** The characters as people see them: an emoji of several code points is one. */
export const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** At most this many characters; a longer text ends with an ellipsis. */
export function shortened(text: string, most: number): string {
  const all = graphemes(text);
  return all.length > most ? `${all.slice(0, most - 1).join('')}…` : text;
}

/** The start of a text that has at most this many code points, without a part of a character. */
export function limited(text: string, most: number): string {
  if ([...text].length <= most) return text;
  let kept = '';
  let length = 0;
  for (const grapheme of graphemes(text)) {
    length += [...grapheme].length;
    if (length > most) break;
    kept += grapheme;
  }
  return kept;
}

/**
 * What a person typed or pasted, as a title that the API accepts: a tab becomes a space, and
 * controls are left out. Empty if nothing of it can be seen.
 */
export function titleOf(text: string): string {
  const title = plain(text)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
  return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\u2800]/u.test(title) ? title : '';
}

/** A title in quotation marks, shortened. */
export const quoted = (title: string) => `“${isolated(shortened(plain(title), 60))}”`;
