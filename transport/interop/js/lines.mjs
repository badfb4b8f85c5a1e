// Shared code of the clients in this folder. A client prints the events of a connection and reads
// commands, one line of JSON each.
import { createInterface } from 'node:readline';

/** Prints an event. */
export const print = (kind, rest = {}) => process.stdout.write(`${JSON.stringify({ kind, ...rest })}\n`);

/** Calls the function of each command, with the argument of the command. */
export const commands = (functions) => {
  createInterface({ input: process.stdin }).on('line', (line) => {
    for (const [name, argument] of Object.entries(JSON.parse(line))) functions[name](argument);
  });
};

/** The connection to open: { url, protocols, origin? }. */
export const target = JSON.parse(process.argv[2]);
