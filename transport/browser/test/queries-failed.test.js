import { describe, expect, it } from 'vitest';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

describe.each(versions)('a fetch that fails, TanStack Query %s', (_, core) => {
  it('during a reload: the next reload fetches again, even from the same position', async () => {
    const plan = new Plan(core, 300);
    await plan.showOld();
    plan.value = 7;
    plan.fail = true;
    const reload = (reason) =>
      plan.queries.reload({ reason, position: { epoch: 'e1', seq: 50 }, signal: new AbortController().signal });
    void reload('not_recovered');
    await advance(1_000);
    plan.fail = false;
    void reload('joined'); // after another reconnect, without events in between
    await advance(1_000);
    expect([plan.data(), plan.begun.length]).toEqual([7, 2]);
    plan.close();
  });

  it('does not apply an event to the cached data a second time', async () => {
    const plan = new Plan(core, 300, { patch: (data, event) => [data, event.seq] });
    const { observer } = await plan.showOld();
    plan.fail = true;
    void observer.refetch();
    await advance(100);
    plan.change();
    await advance(300);
    expect(plan.data()).toEqual([0, 2]);
    plan.close();
  });
});
