// The AsyncAPI document, read as its tools read it, with a validator for each of its messages.
import { readFileSync } from 'node:fs';

import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import formats from 'ajv-formats';

import { protocol } from './frames.js';

const { document, diagnostics } = await new Parser().parse(readFileSync(new URL('asyncapi.yaml', protocol), 'utf8'));

export { diagnostics, document };

/** The messages of the document by their keys. */
export const messages = Object.fromEntries((document?.components().messages().all() ?? []).map((m) => [m.id(), m]));

// Not strict: the parser adds its own keywords.
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);

const validators = Object.fromEntries(Object.entries(messages).map(([id, m]) => [id, ajv.compile(m.payload().json())]));

const ids = (list) =>
  list.flatMap((operation) =>
    operation
      .messages()
      .all()
      .map((m) => m.id()),
  );
const replies = (list) =>
  list.flatMap(
    (operation) =>
      operation
        .reply()
        ?.messages()
        .all()
        .map((m) => m.id()) ?? [],
  );
const received = document?.operations().filterByReceive() ?? [];
const sent = document?.operations().filterBySend() ?? [];

/** The keys of the messages that each side sends. */
export const sentBy = {
  client: new Set(ids(received)),
  server: new Set([...ids(sent), ...replies(received)]),
};

/** Why a frame is not such a message; null if it is. */
export function faults(id, frame) {
  return validators[id](frame) ? null : ajv.errorsText(validators[id].errors);
}
