import { describe, expect, it } from 'vitest';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

describe.each(versions)('the keys of queries, TanStack Query %s', (_, core) => {
  it('match as in TanStack Query: with any order of properties, and partially', async () => {
    const plan = new Plan(core, 10, {
      keys: { plan: [{ scope: 'plan', id: 'demo' }], tasks: [{ scope: 'tasks', id: 'demo' }] },
    });
    await plan.showOld([{ id: 'demo', scope: 'tasks', filter: 'mine' }, 1]);
    await plan.showOld([{ id: 'demo', more: true, scope: 'plan' }]);
    await plan.showOld([{ id: 'demo', scope: 'plan' }, 'members']); // below the plan
    await plan.showOld([{ id: 'other', scope: 'tasks' }]);
    plan.begun = [];
    plan.change();
    await advance(5_000);
    expect(plan.begun.length).toBe(2);
    plan.close();
  });

  it('each key can be omitted', async () => {
    const own = { items: [], percent: 5 };
    const plan = new Plan(core, 10, { keys: { plan: null, tasks: undefined, progress: null } });
    plan.client.setQueryData(['plan', 'demo', 'progress'], own);
    await plan.showOld(['plan', 'demo']);
    plan.queries.event({ type: 'progress-updated', data: { progress: { completionPercentage: 7 } } });
    plan.change();
    void plan.reload();
    await advance(5_000);
    expect([plan.data(['plan', 'demo', 'progress']), plan.begun.length]).toEqual([own, 0]);
    await plan.showOld();
    plan.change();
    await advance(5_000);
    expect(plan.begun.length).toBe(1);
    plan.close();
  });

  it('progress is stored; a fetch that may have missed it is followed by another fetch', async () => {
    const plan = new Plan(core, 100);
    const key = ['plan', 'demo', 'progress'];
    const { observer } = await plan.showOld(key);
    plan.value = 'new';
    plan.queries.event({ type: 'progress-updated', data: { progress: 'new' } });
    await advance(5_000);
    expect([plan.data(key), plan.begun.length]).toEqual(['new', 0]);
    void observer.refetch();
    plan.value = 'newer';
    plan.queries.event({ type: 'progress-updated', data: { progress: 'newer' } });
    expect(plan.data(key)).toBe('newer');
    await advance(5_000);
    expect([plan.data(key), plan.begun.length]).toEqual(['newer', 2]);
    plan.close();
  });
});
