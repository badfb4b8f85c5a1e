import { describe, expect, it } from 'vitest';
import { last, settled, useFakes } from './fake.js';
import { live, reconnect } from './watching.js';

useFakes();

describe('versions of events', () => {
  it('an event whose version is below the last one of its key is dropped', async () => {
    const { plan, received } = await live();
    const version = (key, n) => ({ version: { key, n } });
    last().event('demo', 11, 10, version('t1', 5));
    last().event('demo', 12, 11, version('t1', 4));
    last().event('demo', 13, 12, version('t1', 5));
    last().event('demo', 14, 13, version('t2', 1));
    last().say({ type: 'receipt', planId: 'demo', seq: 15, prev: 14, ...version('t2', 9) });
    last().event('demo', 16, 15, version('t2', 8));
    last().say({ type: 'receipt', planId: 'demo', seq: 17, prev: 16, ...version('t2', 2) });
    last().event('demo', 18, 17);
    expect([received, plan.position.seq]).toEqual([[11, 13, 14, 'receipt 15', 'receipt 17', 18], 18]);
  });

  it('the last state is the newest, whatever the order of the events, also across a reconnect', async () => {
    for (let first = 1; first <= 4; first++) {
      const { received } = await live();
      const order = [first, ...[1, 2, 3, 4].filter((n) => n !== first)];
      const seen = [];
      const send = (n, i) => last().event('demo', 11 + i, 10 + i, { version: { key: 't1', n }, data: { task: n } });
      send(order[0], 0);
      send(order[1], 1);
      await reconnect();
      last().answer('demo', 12, { recovered: true });
      await settled();
      send(order[2], 2);
      send(order[3], 3);
      for (const seq of received) seen.push(order[seq - 11]);
      expect([seen.at(-1), seen]).toEqual([4, [...seen].sort()]);
    }
  });

  it('are forgotten when the plan is loaded again: the host may have restored an older one', async () => {
    const { received } = await live();
    const version = (n) => ({ version: { key: 't1', n } });
    last().event('demo', 11, 10, version(9));
    last().resync('demo', 12);
    await settled();
    last().event('demo', 13, 12, version(5));
    await reconnect();
    last().answer('demo', 0, { epoch: 'e2' });
    await settled();
    last().event('demo', 1, 0, version(2));
    expect(received).toEqual([11, 'load resync 12', 13, 'load not_recovered 0', 1]);
  });

  it('are also forgotten by a subscription without load', async () => {
    const { client, received } = await live();
    const seen = [];
    client.join('demo', { onEvent: (e) => seen.push(e.seq) });
    last().event('demo', 11, 10, { version: { key: 't1', n: 9 } });
    last().resync('demo', 12);
    await settled();
    last().event('demo', 13, 12, { version: { key: 't1', n: 5 } });
    expect([received, seen]).toEqual([
      [11, 'load resync 12', 13],
      [11, 13],
    ]);
  });

  it('the last 10,000 keys are remembered', async () => {
    const { received } = await live(0);
    const at = (seq, key, n) => last().event('demo', seq, seq - 1, { version: { key, n } });
    at(1, 'first', 2);
    for (let seq = 2; seq <= 10_001; seq++) at(seq, `k${seq}`, 2);
    received.length = 0;
    at(10_002, 'k10001', 1);
    at(10_003, 'first', 1);
    expect(received).toEqual([10_003]);
  });
});
