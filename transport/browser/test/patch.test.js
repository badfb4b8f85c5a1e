import { describe, expect, it } from 'vitest';
import { patchTasks } from '../patch.js';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

const patch = patchTasks();
const task = (id, version, title) => ({ id, version, ...(title && { title }) });
const created = (t, more) => ({ type: 'task-created', data: { task: t }, ...more });
const updated = (t, more) => ({ type: 'task-updated', data: { task: t }, ...more });
const deleted = (taskId, more) => ({ type: 'task-deleted', data: { taskId }, ...more });
const reordered = (...taskIds) => ({ type: 'task-reordered', data: { taskIds } });

const permutations = (list) =>
  list.length < 2
    ? [list]
    : list.flatMap((one) => permutations(list.filter((other) => other !== one)).map((rest) => [one, ...rest]));

describe('patchTasks', () => {
  const list = [task('a', 1), task('b', 3, 'B'), task('c', 2)];

  it.each([
    ['a new task is added', created(task('d', 1)), [...list, task('d', 1)]],
    ['a newer version replaces', updated(task('b', 4, 'new')), [list[0], task('b', 4, 'new'), list[2]]],
    [
      'a created task that is in the cache is an update',
      created(task('b', 4, 'new')),
      [list[0], task('b', 4, 'new'), list[2]],
    ],
    ['a deleted task is removed', deleted('b'), [list[0], list[2]]],
    [
      'the same version replaces: it may be a time with two changes',
      updated(task('b', 3, 'other')),
      [list[0], task('b', 3, 'other'), list[2]],
    ],
    ['an order sorts; tasks outside it stay at the end', reordered('c', 'a'), [list[2], list[0], list[1]]],
    [
      'the version of the event is used if the task has none',
      updated({ id: 'b', title: 'new' }, { version: { key: 'b', n: 4 } }),
      [list[0], { id: 'b', title: 'new' }, list[2]],
    ],
  ])('%s', (_, event, want) => {
    const before = structuredClone(list);
    expect(patch(list, event)).toEqual(want);
    expect(list).toEqual(before);
    const plan = { id: 'demo', title: 'Plan', tasks: list };
    expect(patch(plan, event)).toEqual({ ...plan, tasks: want });
  });

  it.each([
    ['an older version', updated(task('b', 2, 'old'))],
    ['an older created one', created(task('b', 1, 'old'))],
    ['an older version of the event', updated({ id: 'b', title: 'old' }, { version: { key: 'b', n: 2 } })],
    ['a deletion that is older than the task', deleted('b', { version: { key: 'b', n: 2 } })],
    ['a deletion of an unknown task', deleted('x')],
  ])('changes nothing: %s', (_, event) => {
    expect(patch(list, event)).toBe(list);
    const plan = { tasks: list };
    expect(patch(plan, event)).toBe(plan);
  });

  it.each([
    ['an update of an unknown task', list, updated(task('x', 1))],
    ['no version in the event', list, updated({ id: 'b', title: 'new' })],
    ['no version in the cache', [{ id: 'b' }], updated(task('b', 4))],
    ['no id', list, updated({ version: 9 })],
    ['no task', list, updated(undefined)],
    ['an order with an unknown task', list, reordered('a', 'x')],
    ['pages', { pages: [list], pageParams: [1] }, updated(task('b', 4))],
    ['text', 'a b c', updated(task('b', 4))],
    ['null', null, deleted('b')],
    ['an event of the host', list, { type: 'members-updated', data: {} }],
  ])('undecided: %s', (_, data, event) => {
    expect(patch(data, event)).toBeUndefined();
  });

  it('a cached task without a version is replaced by an event that has one', () => {
    expect(
      patch([{ id: 'b', title: 'B' }], updated({ id: 'b', title: 'new' }, { version: { key: 'b', n: 2 } })),
    ).toEqual([{ id: 'b', title: 'new' }]);
  });

  it.each([
    ['numbers', 7, 7],
    ['text', '7', '7'],
    ['a number and text', 7, '7'],
    ['text and a number', '7', 7],
  ])('IDs that are %s', (_, cachedId, id) => {
    const tasks = [task(cachedId, 1), task(8, 1)];
    expect(patch(tasks, updated(task(id, 2)))).toEqual([task(id, 2), task(8, 1)]);
    expect(patch(tasks, created(task(id, 2)))).toEqual([task(id, 2), task(8, 1)]);
    expect(patch(tasks, deleted(id))).toEqual([task(8, 1)]);
    expect(patch(tasks, reordered(8, id))).toEqual([task(8, 1), task(cachedId, 1)]);
    expect(patch(tasks, deleted(70))).toBe(tasks);
    expect(patch(tasks, updated(task(70, 1)))).toBeUndefined();
    expect(patch(tasks, reordered(8, 70))).toBeUndefined();
  });

  it('every viewer ends with the newest state, whatever the order of the events of two writers', () => {
    const changes = [2, 3, 4, 5].map((n) => updated(task('b', n, `state ${n}`)));
    for (const order of permutations(changes)) {
      expect(order.reduce(patch, [task('b', 1)])).toEqual([task('b', 5, 'state 5')]);
    }
  });

  it('accepts other field names, and versions that are times', () => {
    const own = patchTasks({ key: 'uuid', version: 'updatedAt', list: 'items' });
    const at = (uuid, minute) => ({ uuid, updatedAt: `2026-01-01T00:0${minute}:00Z` });
    expect(own({ items: [at('a', 1)] }, updated(at('a', 2)))).toEqual({ items: [at('a', 2)] });
    expect(own([at('a', 3)], updated(at('a', 2)))).toEqual([at('a', 3)]);
  });
});

describe.each(versions)('TanStack Query %s', (_, core) => {
  async function cached(tasks, ms = 500) {
    const plan = new Plan(core, ms, { patch });
    plan.value = tasks;
    const { observer } = await plan.showOld();
    const shown = [];
    // As useQuery does.
    observer.subscribe(core.notifyManager.batchCalls(() => shown.push(observer.getCurrentResult().data)));
    return { plan, observer, shown, event: (event) => plan.queries.event(event) };
  }

  it('events are patched into the cache immediately, without a fetch', async () => {
    const { plan, event } = await cached([task('a', 1)]);
    event(created(task('b', 1)));
    event(updated(task('a', 2, 'A')));
    event(reordered('b', 'a'));
    expect(plan.data()).toEqual([task('b', 1), task('a', 2, 'A')]);
    event(deleted('b'));
    await advance(60_000);
    expect([plan.data(), plan.begun.length]).toEqual([[task('a', 2, 'A')], 0]);
    plan.close();
  });

  it('what cannot be patched is fetched', async () => {
    const { plan, event } = await cached([task('a', 1)]);
    plan.value = [task('a', 1), task('x', 2)];
    event(updated(task('x', 2)));
    await advance(2_000);
    expect([plan.data(), plan.begun.length]).toEqual([plan.value, 1]);
    plan.close();
  });

  it('a query below the key, which may show some of the tasks, is fetched', async () => {
    const { plan, event } = await cached([task('a', 1)]);
    await plan.showOld(['plan', 'demo', 'tasks', { filter: 'mine' }]);
    plan.begun = [];
    event(created(task('b', 1)));
    await advance(2_000);
    expect([plan.data().length, plan.begun.length]).toEqual([2, 1]);
    plan.close();
  });

  it('a response that is older than an event never reverts it, not even briefly', async () => {
    const { plan, observer, shown, event } = await cached([task('a', 1), task('b', 1)]);
    void observer.refetch(); // reads the tasks now
    await advance(100);
    shown.length = 0;
    event(updated(task('a', 2, 'new')));
    event(deleted('b'));
    event(created(task('c', 1)));
    const want = [task('a', 2, 'new'), task('c', 1)];
    expect(plan.data()).toEqual(want);
    const first = shown.length;
    await advance(500);
    expect(observer.getCurrentResult().fetchStatus).toBe('idle');
    for (const data of shown.slice(first)) expect(data).toEqual(want);
    expect(plan.data()).toEqual(want);
    await advance(60_000);
    expect(plan.begun.length).toBe(1);
    plan.close();
  });

  it('an older event does not overwrite a newer response or optimistic change', async () => {
    const { plan, event } = await cached([task('a', 5, 'fetched')]);
    event(updated(task('a', 4, 'old')));
    expect(plan.data()).toEqual([task('a', 5, 'fetched')]);
    plan.client.setQueryData(['plan', 'demo', 'tasks'], [task('a', 7, 'optimistic')]);
    event(updated(task('a', 6, 'old')));
    expect(plan.data()).toEqual([task('a', 7, 'optimistic')]);
    plan.close();
  });

  it('a cancelled fetch does not lose a patch', async () => {
    const { plan, observer, event } = await cached([task('a', 1)]);
    void observer.refetch();
    event(updated(task('a', 2)));
    await plan.client.cancelQueries({ queryKey: ['plan', 'demo', 'tasks'] });
    await advance(0);
    expect(plan.data()).toEqual([task('a', 2)]);
    plan.close();
  });

  it('an event that a second hook delivers later is applied once', async () => {
    const { plan, event } = await cached([task('a', 1)]);
    const add = created(task('b', 1));
    const remove = deleted('b');
    for (const e of [add, remove, add]) event(e);
    expect(plan.data()).toEqual([task('a', 1)]);
    event(remove);
    await advance(5_000);
    expect([plan.data(), plan.begun.length]).toEqual([[task('a', 1)], 0]);
    plan.close();
  });

  it('data that already lacks a change is fetched, not patched', async () => {
    const { plan, event } = await cached([task('a', 1)]);
    plan.value = [task('a', 3)];
    event(updated({ id: 'a' })); // without a version
    event(updated(task('a', 3)));
    await advance(2_000);
    expect([plan.data(), plan.begun.length]).toEqual([[task('a', 3)], 1]);
    plan.close();
  });
});
