export class Connection {
    /**
     * @param {ClientOptions} options
     * @param {string} clientId
     * @param {{ changed(): void, opened(): void, renewed(): void,
     *   received(message: any, size: number): void }} owner
     */
    constructor(options: ClientOptions, clientId: string, owner: {
        changed(): void;
        opened(): void;
        renewed(): void;
        received(message: any, size: number): void;
    });
    /** @type {ConnectionState} */ state: ConnectionState;
    /** @type {ClientError | null} why it is not connected */ error: ClientError | null;
    retryAt: number;
    final: boolean;
    user: string;
    outbox: Outbox;
    timeout: number;
    start(): void;
    /** Connects at once, also after a final end. */
    restart(reason?: TokenReason): void;
    /** @param {ClientError | null} [error] @param {boolean} [final] */
    stop(error?: ClientError | null, final?: boolean): void;
    ping(): void;
    /** The server does not answer. */
    silent(code?: string): void;
    /** The computer was asleep, so the server has closed the connection. */
    asleep(): void;
    /** Gives the connection up, and connects again after a while. @param {ClientError} error */
    fail(error: ClientError, retryAfterMs?: number): void;
    /** The network may be back, or gone (lost), or the computer may have slept. */
    wake(lost?: boolean): void;
    /** Fetches another token, and continues with it, on the same connection if possible. */
    renew(reason?: TokenReason): Promise<void>;
    #private;
}
import type { ConnectionState } from './types.js';
import type { ClientError } from './types.js';
import { Outbox } from './outbox.js';
import type { TokenReason } from './types.js';
import type { ClientOptions } from './types.js';
