// Texts of users inside the page's own sentences.
//
// A title can contain bidi controls that would reorder the words around it, and emoji that consist
// of several code points. This module is the one place that knows both.

// Embeddings, overrides and isolates. Marks such as U+200E, which Arabic and Hebrew texts need,
// stay.
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/gu;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** A name or a title as the page shows it: without bidi controls. */
export function plain(text) {
  return text.replace(CONTROLS, '');
}

/** The same inside an attribute or another plain string, where a `<bdi>` is not possible. */
export function isolated(text) {
  return FIRST_STRONG_ISOLATE + plain(text) + POP_ISOLATE;
}

/** At most max characters, counted and cut as a reader sees them. */
export function shorten(text, max) {
  const starts = [];
  for (const { index } of new Intl.Segmenter().segment(text)) {
    starts.push(index);
    if (starts.length > max) return `${text.slice(0, starts[max - 1])}…`;
  }
  return text;
}

/** Marks a text of a user among the parts of a sentence. */
export const of = (text) => ({ text: plain(text) });

/** Shows a sentence: strings are the page's words, and texts of users get a `<bdi>` each. */
export function show(element, parts) {
  element.replaceChildren(
    ...parts.map((part) => {
      if (typeof part === 'string') return part;
      const bdi = document.createElement('bdi');
      bdi.textContent = part.text;
      return bdi;
    }),
  );
}

/** The sentence as a plain string. */
export function spoken(parts) {
  return parts.map((part) => (typeof part === 'string' ? part : isolated(part.text))).join('');
}
