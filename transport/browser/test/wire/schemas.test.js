import { describe, expect, test } from 'vitest';

import { faults, sentBy } from './document.js';
import { frames, golden, spoiled } from './frames.js';

describe('a golden frame matches exactly one message of its direction', () => {
  test.each(frames)('$name is $message', ({ message, name, frame }) => {
    expect(faults(message, frame)).toBeNull();
    const side = sentBy[name.split('/')[0]];
    expect([...side].filter((id) => faults(id, frame) === null)).toEqual([message]);
  });
});

describe('a damaged frame does not match the message', () => {
  test.each(frames)('$name', ({ message, frame }) => {
    const all = spoiled(message, frame);
    expect(all.length).toBeGreaterThan(4);
    expect(all.filter((one) => faults(message, one.frame) === null).map(({ what }) => what)).toEqual([]);
  });
});

describe('unknown fields and types', () => {
  test.each(frames.filter(({ frame }) => 'data' in frame))('$name may have more fields', ({ message, frame }) => {
    expect(faults(message, { ...frame, later: 1, data: { ...frame.data, later: 1 } })).toBeNull();
  });
});

// Bounds that a value of a wrong type does not reach.
test.each([
  ['joinPlan', 'client/join-plan', { planId: '' }],
  ['joinPlan', 'client/join-plan', { planId: 'a\u0085b' }],
  ['joinPlan', 'client/join-plan', { planId: 'x'.repeat(129) }],
  ['joinPlan', 'client/join-plan', { since: { epoch: '', seq: 1 } }],
  ['joinPlan', 'client/join-plan', { since: { epoch: 'E1', seq: -1 } }],
  ['joinPlan', 'client/join-plan', { since: { epoch: 'E1', seq: 2 ** 53 } }],
  ['authenticate', 'client/authenticate', { data: { token: '' } }],
  ['receipt', 'server/receipt', { seq: 0 }],
  ['receipt', 'server/receipt', { data: {} }],
  ['receipt', 'server/receipt', { mutationId: 'a b' }],
  ['pong', 'server/pong', { timestamp: '2026-03-04T05:06:07Z' }],
  ['pong', 'server/pong', { timestamp: '2026-13-04T05:06:07.089Z' }],
  ['taskDeleted', 'server/task-deleted', { data: { taskId: 2 ** 53 } }],
  ['taskDeleted', 'server/task-deleted', { data: { taskId: -(2 ** 53) } }],
  ['taskReordered', 'server/task-reordered', { data: { taskIds: [1, 1.5] } }],
  ['hostEvent', 'server/host-event', { type: 'goodbye' }],
  ['hostEvent', 'server/host-event', { type: 'task-updated' }],
  ['notice', 'server/task-deleted-of-no-plan', { data: {} }],
  ['notice', 'server/host-notice-of-no-plan', { type: 'task-updated' }],
  ['notice', 'server/host-notice-of-no-plan', { planId: 'demo' }],
  ['notice', 'server/host-notice-of-no-plan', { seq: 1 }],
])('%s: %s with %j is refused', (message, name, change) => {
  expect(faults(message, golden(name))).toBeNull();
  expect(faults(message, { ...golden(name), ...change })).not.toBeNull();
});

test('since may be null, and so may a task', () => {
  expect(faults('joinPlan', { ...golden('client/join-plan'), since: null })).toBeNull();
  expect(faults('taskUpdated', { ...golden('server/task-updated'), data: { task: null } })).toBeNull();
});

test.each([
  ['taskUpdated', 'server/task-updated', ['by', 'mutationId']],
  ['receipt', 'server/receipt', ['by', 'mutationId']],
  ['goodbye', 'server/goodbye-4401', ['timestamp']],
  ['error', 'server/error-forbidden', ['planId']],
])('%s: %s without %j still matches', (message, name, lacking) => {
  const frame = golden(name);
  for (const key of lacking) delete frame[key];
  expect(faults(message, frame)).toBeNull();
});
