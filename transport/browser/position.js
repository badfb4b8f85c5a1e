// Reads the position of a plan from the response that it came with. It stands alone, so that pages
// that do not need it do not load it.

/** @import { Position } from './protocol.js' */

/**
 * The position in the header X-Plan-Position of a response, for `load` and `since`:
 *
 *     const response = await fetch(url);
 *     show(await response.json());
 *     return positionOf(response);
 *
 * null if the header is missing or malformed. A server of another origin has to list the header in
 * Access-Control-Expose-Headers.
 * @param {{ headers: { get(name: string): any } }} response of fetch, or of another library whose
 *   headers have such a get
 * @returns {Position | null}
 */
export function positionOf({ headers }) {
  const text = /^((?:[\w-]|%[\dA-F]{2})+)\.(\d+)$/.exec(headers.get('X-Plan-Position') ?? '');
  const seq = Number(text?.[2]);
  if (!text || !Number.isSafeInteger(seq)) return null;
  try {
    return { epoch: decodeURIComponent(/** @type {string} */ (text[1])), seq };
  } catch {
    // not UTF-8
    return null;
  }
}
