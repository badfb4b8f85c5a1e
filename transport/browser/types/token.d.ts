export class Token {
    /** @param {ClientOptions} options */
    constructor(options: ClientOptions);
    text: string;
    /**
     * Fetches a token. False: no user is logged in. Null: cancelled, or superseded by another call.
     * @param {TokenReason} reason
     * @param {number} timeout
     */
    fetch(reason: TokenReason, timeout: number): Promise<boolean | null>;
    /** Aborts a call of getToken that is under way. */
    cancel(): void;
    drop(): void;
    /** Whether it lasts long enough for another connection. */
    get usable(): boolean;
    /** The server has accepted the login at this time of its clock. */
    synchronize(timestamp: string): void;
    /** The server has confirmed the token. @param {string | null} expiresAt */
    extend(expiresAt: string | null): void;
    /**
     * The wait before the next renewal: until 30 s before the end, or half of the time that is left.
     */
    get renewIn(): number;
    #private;
}
import type { TokenReason } from './types.js';
import type { ClientOptions } from './types.js';
