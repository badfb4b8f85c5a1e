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
export function positionOf({ headers }: {
    headers: {
        get(name: string): any;
    };
}): Position | null;
import type { Position } from './protocol.js';
