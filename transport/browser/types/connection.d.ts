/** Calls what a program gave us; an error of its own is reported as uncaught, and harms nobody else. */
export function call(f: Function | undefined, ...args: unknown[]): void;
export function backoff(attempt: number): number;
export class Connection {
    /**
     * @param {ClientOptions} options
     * @param {string} clientId
     * @param {{ changed(): void, opened(hello: Hello): void, received(message: any): void }} owner
     */
    constructor(options: ClientOptions, clientId: string, owner: {
        changed(): void;
        opened(hello: Hello): void;
        received(message: any): void;
    });
    /** @type {ConnectionState} */ state: ConnectionState;
    /** @type {ClientError | null} why it is not connected */ error: ClientError | null;
    retryAt: number;
    start(): void;
    /** @param {ClientError | null} [error] */
    stop(error?: ClientError | null): void;
    /** Connects anew, at once. */
    restart(): void;
    /** @param {ClientMessage} message */
    send(message: ClientMessage): void;
    /** Something lives on this connection: after a while the next failure is a first one again. */
    settle(): void;
    /** To be called when the network may be back, or may be gone, or we have been away. */
    wake(): void;
    /** Goes on with another token, on the same connection if that can be. */
    renew(reason?: TokenReason): Promise<void>;
    #private;
}
import type { ConnectionState } from './types.js';
import type { ClientError } from './types.js';
import type { ClientMessage } from './protocol.js';
import type { TokenReason } from './types.js';
import type { ClientOptions } from './types.js';
import type { Hello } from './protocol.js';
