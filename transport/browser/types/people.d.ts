export class People {
    /** @param {() => void} changed */
    constructor(changed: () => void);
    get snapshot(): {
        participants: Participant[];
        participantCount: number;
    };
    /** @param {JoinAnswer} answer */
    answer({ participants, participantCount }: JoinAnswer): void;
    /** A user has joined or left. @param {any} data @param {boolean} here */
    moved({ userId, userName, participantCount }: any, here: boolean): void;
    /** @param {{ userId: string, state: unknown }} data */
    updated({ userId, state }: {
        userId: string;
        state: unknown;
    }): void;
    /** The connection is lost: the list stays, stale, until the grace period is over. */
    lost(): void;
    clear(): void;
    #private;
}
import type { Participant } from './protocol.js';
import type { JoinAnswer } from './protocol.js';
