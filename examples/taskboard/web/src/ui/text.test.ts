import { expect, test } from 'vitest';
import { graphemes, isolated, limited, plain, quoted, shortened, titleOf } from './text';

const family = '👩‍👩‍👧‍👦'; // 7 code points, 11 UTF-16 units, one character

test('texts are cut between characters, never inside an emoji', () => {
  expect(graphemes(`a${family}é`)).toEqual(['a', family, 'é']);
  expect(shortened('abc', 3)).toBe('abc');
  expect(shortened(`${family}${family}${family}`, 2)).toBe(`${family}…`);
  expect(limited(`ab${family}`, 9)).toBe(`ab${family}`);
  expect(limited(`ab${family}`, 8)).toBe('ab');
  expect(quoted(family.repeat(70))).toBe(`“\u2068${family.repeat(59)}…\u2069”`);
});

test('a pasted title is converted to one that the API accepts', () => {
  expect(titleOf(' Print\tbadges\u2028 ')).toBe('Print badges');
  expect(titleOf('\u202Ea\u0000b')).toBe('a b');
  expect(titleOf(family)).toBe(family);
  expect(titleOf('☂\uFE0F')).toBe('☂\uFE0F');
  for (const unseen of ['', ' ', '\u200B', '\u2060\u200D', '\u00AD', '\u3164', '\u2800', '\uFE0F', '\u200F'])
    expect(titleOf(unseen)).toBe('');
});

test('no text changes the direction of the text around it', () => {
  expect(plain('\u202Eevil\u2069\u2066')).toBe('evil');
  expect(isolated('a\u2069b\u202E')).toBe('\u2068ab\u2069');
});
