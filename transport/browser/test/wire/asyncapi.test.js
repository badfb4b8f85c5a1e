import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { diagnostics, document, faults, messages, sentBy } from './document.js';
import { frames, framesOf, golden, names, protocol } from './frames.js';

/** The values of the constants of a type in package protocol. */
function constants(type, file) {
  const source = readFileSync(new URL(file, protocol), 'utf8');
  return [...source.matchAll(new RegExp(`^\\t\\w+\\s+${type}\\s+= ("?)([\\w-]+)\\1`, 'gm'))].map((match) => match[2]);
}

/** The rows of the one table in a description, without its head. */
function table(description) {
  const rows = description.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const hostsOwn = ['hostEvent', 'notice'];

test('the document is valid AsyncAPI', () => {
  const unexpected = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
  expect(unexpected).toEqual([]);
  expect(document.version()).toBe('3.0.0');
});

test('every message belongs to an operation', () => {
  expect([...sentBy.client, ...sentBy.server].sort()).toEqual(Object.keys(messages).sort());
  const inChannel = document
    .channels()
    .get('connection')
    .messages()
    .all()
    .map((m) => m.id());
  expect(inChannel.sort()).toEqual(Object.keys(messages).sort());
});

test('every golden frame belongs to a message, and every message has one', () => {
  expect(frames.map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(Object.keys(framesOf).sort()).toEqual(Object.keys(messages).sort());
  for (const [id, list] of Object.entries(framesOf)) expect(list, id).not.toEqual([]);
});

test('every type of the protocol has a message and a golden frame', () => {
  const types = constants('Type', 'message.go');
  expect(types).toContain('goodbye');
  const described = Object.values(messages)
    .filter((m) => !hostsOwn.includes(m.id()))
    .map((m) => m.name());
  expect([...new Set(described)].sort()).toEqual([...types].sort());
  const framed = new Set(frames.map(({ frame }) => frame.type));
  for (const type of types) expect(framed, type).toContain(type);
});

test('the reserved types are those of messages that are not events', () => {
  const { not } = document.components().schemas().get('hostType').json();
  const events = document.components().schemas().get('eventType').json().enum;
  expect([...not.enum, ...events].sort()).toEqual(constants('Type', 'message.go').sort());
});

describe('examples', () => {
  test.each(Object.values(messages).map((m) => [m.id(), m]))('of %s are golden frames', (id, m) => {
    const examples = m
      .examples()
      .all()
      .map((example) => example.payload());
    expect(examples).not.toEqual([]);
    for (const example of examples) expect(framesOf[id].map(golden)).toContainEqual(example);
  });
});

test('error codes', () => {
  const codes = constants('ErrorCode', 'errors.go');
  expect(codes).toContain('bad_state');
  expect(messages.error.payload().json().properties.data.properties.code.enum).toEqual(codes);
  expect(table(messages.error.description()).map(([code]) => code)).toEqual(codes);
  expect(framesOf.error.map((name) => golden(name).data.code).sort()).toEqual([...codes].sort());
});

describe('close codes', () => {
  const unannounced = ['1000', '1001', '1002', '1005', '1006'];
  const rows = table(messages.goodbye.description());

  test('are all in the table', () => {
    const codes = constants('CloseCode', 'close.go').filter((code) => !unannounced.includes(code));
    expect(codes).toContain('4508');
    expect(rows.map(([code]) => code)).toEqual(codes);
  });

  test.each(rows)('%s: the golden frame matches the table', (code, reason, _when, reconnect, reauth, retry) => {
    const { data } = golden(`server/goodbye-${code}`);
    const { retryAfterMs, ...rest } = data;
    expect(rest).toEqual({ code: Number(code), reason, reconnect: reconnect === 'true', reauth: reauth === 'true' });
    const [, open, least] = /^(at least )?(\d+)$/.exec(retry);
    if (open) expect(retryAfterMs).toBeGreaterThanOrEqual(Number(least));
    else expect(retryAfterMs).toBe(Number(least));
  });

  test.each(rows)(
    '%s: the schema of goodbye accepts only its row',
    (code, _reason, _when, reconnect, reauth, retry) => {
      const frame = golden(`server/goodbye-${code}`);
      const spoil = (change) => ({ ...frame, data: { ...frame.data, ...change } });
      expect(faults('goodbye', spoil({ reconnect: reconnect !== 'true' }))).not.toBeNull();
      expect(faults('goodbye', spoil({ reauth: reauth !== 'true' }))).not.toBeNull();
      expect(faults('goodbye', spoil({ code: 4999 }))).not.toBeNull();
      const [, open, least] = /^(at least )?(\d+)$/.exec(retry);
      expect(faults('goodbye', spoil({ retryAfterMs: Number(least) - 1 }))).not.toBeNull();
      if (!open) expect(faults('goodbye', spoil({ retryAfterMs: Number(least) + 1 }))).not.toBeNull();
    },
  );
});
