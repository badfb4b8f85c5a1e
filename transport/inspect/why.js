// Says in sentences why a user did not receive an event. It gets the JSON of room.Explanation and
// returns texts; it does not touch the page.

const CODES = {
  1000: 'the client closed it',
  1001: 'the client went away',
  1002: 'the client violated the protocol',
  1003: 'the client sent a binary message',
  1005: 'the client closed it without a code',
  1006: 'it broke without a close frame',
  1007: 'the client sent text that is not UTF-8',
  1009: 'the client sent a message that is too long',
  4400: 'the client sent a bad request',
  4401: 'the token was missing, invalid or expired',
  4403: 'the host disconnected the user',
  4408: 'the client did not answer in time',
  4409: 'a newer connection of the same client replaced it',
  4429: 'the client sent too many messages',
  4500: 'internal error',
  4503: 'the server shut down',
  4508: 'the client read too slowly',
};

/** What a close code means. */
export const meaning = (code) => CODES[code] ?? 'a code that the protocol does not define';

/** A point in time for an operator, with the date unless it is today. */
export function at(text) {
  const time = new Date(text);
  const today = new Date().toDateString() === time.toDateString();
  return time.toLocaleString(
    undefined,
    today ? { hour: '2-digit', minute: '2-digit', second: '2-digit' } : { dateStyle: 'medium', timeStyle: 'medium' },
  );
}

function reason(c) {
  switch (c.leaveReason) {
    case 'requested':
      return 'The client asked to leave the plan.';
    case 'closed':
      return c.closeCode
        ? `Its connection ended with ${c.closeCode}: ${meaning(c.closeCode)}.`
        : 'Its connection ended.';
    case 'revoked':
      return 'The host ended the user’s access.';
    case 'forbidden':
      return 'Authorize refused the user.';
    case 'unconfirmed':
      return 'The user’s access could not be checked in time.';
    case '':
      return 'The client joined the plan again on the same connection.';
    default:
      return `Reason: ${c.leaveReason}.`;
  }
}

// The outcomes: a tone, a label, and a sentence.
const OUTCOMES = {
  written: (_, x) => [
    'good',
    'Written',
    'The event was written to the connection’s socket. If the user does not see it, look at the network and at the client.' +
      (x.event === 'gone' ? ' If the event excluded this connection, that was a receipt.' : ''),
  ],
  excluded: () => [
    'plain',
    'Excluded',
    'The host excluded this connection from the event, as it does for the client that made the change. A receipt was written instead.',
  ],
  writing: (c) => [
    'wait',
    'Being written',
    c.since
      ? `The event is being written, or is next. The connection has been slow since ${at(c.since)}.`
      : 'The event is being written, or is next.',
  ],
  slow: (c) => [
    'wait',
    'Waiting',
    `The connection has been slow since ${at(c.since)}. It has received everything up to event ${c.written}; this event waits in the history.`,
  ],
  resynced: (c) => [
    'bad',
    'Resync',
    `The connection missed events, including this one. At ${at(c.since)} the server sent resync instead, and the client then loads the plan.`,
  ],
  not_joined: () => [
    'bad',
    'Not joined',
    'The connection is open but is not in this plan, and no earlier membership is known.',
  ],
  joined_later: (c) => [
    'plain',
    'Joined later',
    c.recovered
      ? `The client resumed from event ${c.joinedSeq} at ${at(c.joinedAt)}: it reported that it has the events up to there.`
      : `The connection joined at ${at(c.joinedAt)}, after event ${c.joinedSeq}. The plan that it then loaded contains the event.`,
  ],
  left: (c) => ['bad', 'Had left', `The connection left the plan at ${at(c.leftAt)}, before the event. ${reason(c)}`],
  left_unwritten: (c) => [
    'bad',
    'Left',
    `The connection left the plan at ${at(c.leftAt)}, after the event was sent to the room and before it was written. ${reason(c)}`,
  ],
  unknown: (c) => [
    'wait',
    'Not known',
    c.leftAt
      ? `The event was being written when the connection left at ${at(c.leftAt)}, or a resync replaced it long before. ${reason(c)}`
      : 'The connection had many resyncs since the event. It was written, or replaced by one of them.',
  ],
};

const RECEIPT = new Set(['writing', 'slow', 'left_unwritten', 'unknown']);

/** The answer for one connection: {tone, label, text, detail}. */
export function answerFor(c, x) {
  const [tone, label, text] = (OUTCOMES[c.outcome] ?? ((o) => ['plain', o.outcome, `Outcome: ${o.outcome}.`]))(c, x);
  const detail = [`connection ${c.connectionId}`, c.open ? 'open' : 'closed'];
  if (c.clientId !== c.connectionId) detail.splice(1, 0, `client ${c.clientId}`);
  if (c.joinedAt) detail.push(`joined at ${at(c.joinedAt)}, event ${c.joinedSeq}`);
  if (c.leftAt) detail.push(`left at ${at(c.leftAt)}, event ${c.leftSeq}`);
  const receipt =
    c.receipt && RECEIPT.has(c.outcome) ? ' The event excludes this connection, which receives a receipt.' : '';
  return { tone, label, text: text + receipt, detail: detail.join(' · ') };
}

/** What is known about the event itself. */
export function eventText(x) {
  const { seq } = x.position;
  switch (x.event) {
    case 'held':
      return `Event ${seq} was sent to the room at ${at(x.at)}.`;
    case 'none':
      return `The plan has no event ${seq}: the number belongs to another plan. The newest event is ${x.end.seq}.`;
    case 'ahead':
      return `The plan has no event ${seq} yet. The newest event is ${x.end.seq}.`;
    default:
      return `Event ${seq} is no longer in the history, or was an event of another plan. The answers are right if it was an event of this plan.`;
  }
}

/** What the answers leave out. */
export function noteText(x) {
  const notes = [];
  if (x.connections.length === 0 && x.event !== 'none' && x.event !== 'ahead') {
    notes.push('The user has no open connection to this server, and no membership in the plan is known.');
  }
  if (!x.complete) {
    notes.push(
      `The record of ended memberships does not reach back to the event: some that ended before ${at(x.recordSince)} are missing.`,
    );
  }
  if (x.further > 0) notes.push(`${x.further} older memberships are not shown.`);
  return notes.join(' ');
}
