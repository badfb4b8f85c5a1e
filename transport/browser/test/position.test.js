import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { positionOf } from '../position.js';
import { last, settled, useFakes } from './fake.js';
import { setup, watch } from './watching.js';

useFakes();

const response = (text) => new Response('[]', { headers: text === undefined ? {} : { 'X-Plan-Position': text } });

describe('positionOf', () => {
  it.each([
    ['E1.42', { epoch: 'E1', seq: 42 }],
    ['a_b-C.0', { epoch: 'a_b-C', seq: 0 }],
    ['%2E.7', { epoch: '.', seq: 7 }],
    ['a%2C%20b%22.1', { epoch: 'a, b"', seq: 1 }],
    ['%C3%A9.9007199254740991', { epoch: 'é', seq: 2 ** 53 - 1 }],
  ])('reads %s', (text, want) => {
    expect(positionOf(response(text))).toEqual(want);
  });

  it.each([
    undefined,
    '',
    'E1',
    '.1',
    'E1.',
    'E1.-1',
    'E1.1.2',
    'E1.1e3',
    'E1.9007199254740992',
    'E1.1, E1.2',
    'a b.1',
    '%.1',
    '%zz.1',
    '%FF.1',
    '{"epoch":"E1","seq":1}',
  ])('ignores %s', (text) => {
    expect(positionOf(response(text))).toBeNull();
  });

  it('reads what package protocol writes', () => {
    const go = readFileSync(new URL('../../../protocol/position_test.go', import.meta.url), 'utf8');
    const texts = [...go.matchAll(/"([\w%-]+\.\d+)": +\{Epoch: "([^"\\]+)"(?:, Seq: (\d+))?\}/g)];
    expect(texts.length).toBeGreaterThan(3);
    for (const [, text, epoch, seq = 0] of texts)
      expect(positionOf(response(text))).toEqual({ epoch, seq: Number(seq) });
  });

  it('a load that returns it: drops the events that the plan contains, and delivers the others', async () => {
    const { client } = await setup();
    const { plan, received } = watch(client, 'snapshot', { load: async () => positionOf(response('e1.12')) });
    await settled();
    last().answer('snapshot', 10);
    last().event('snapshot', 11, 10);
    last().event('snapshot', 12, 11);
    last().event('snapshot', 13, 12);
    await settled();
    expect([received, plan.position]).toEqual([[13], { epoch: 'e1', seq: 13 }]);
  });

  it('its result can be passed as since', async () => {
    const { client } = await setup();
    watch(client, 'since', { since: positionOf(response('e1.12')) });
    await settled();
    expect(last().sent.at(-1)).toEqual({ type: 'join-plan', planId: 'since', since: { epoch: 'e1', seq: 12 } });
  });
});
