import { describe, expect, it, vi } from 'vitest';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

describe.each(versions)('a fetch that does not return, TanStack Query %s', (_, core) => {
  it.each(['event', 'reload'])('delays the fetch for another change by 30 s: %s', async (change) => {
    const plan = new Plan(core, 100);
    const { observer } = await plan.showOld();
    plan.change();
    await advance(1_000);
    plan.begun = [];
    plan.ms = 1e9;
    void observer.refetch();
    await advance(10_000);
    plan.ms = 100;
    if (change === 'event') plan.change();
    else void plan.reload();
    plan.value = 7;
    await advance(19_999);
    expect([plan.begun.length, plan.running]).toEqual([1, 1]);
    await advance(1);
    expect([plan.begun.length, plan.running]).toEqual([2, 1]); // the signal of the first is aborted
    await advance(100);
    expect([plan.data(), observer.getCurrentResult().fetchStatus]).toEqual([7, 'idle']);
    plan.change();
    await advance(2_000);
    expect([plan.begun.length, plan.data()]).toEqual([3, 8]);
    plan.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not cancelled if nothing has changed since it began', async () => {
    const plan = new Plan(core, 100);
    const { observer } = await plan.showOld();
    plan.change();
    plan.ms = 1e9;
    await advance(500);
    expect(plan.begun.length).toBe(1);
    await advance(600_000);
    expect([plan.begun.length, plan.running, observer.getCurrentResult().fetchStatus]).toEqual([1, 1, 'fetching']);
    plan.change();
    await advance(500); // 30 s have passed
    expect(plan.begun.length).toBe(2);
    plan.close();
  });

  it.each([35_000, 50_000, 200_000])('fetches of %i ms finish on a busy plan', async (ms) => {
    const plan = new Plan(core, ms);
    await plan.showOld();
    for (let i = 0; i < 3_000 && plan.data() < 2; i++) {
      plan.change();
      await advance(1_000);
    }
    expect([plan.data() >= 2, plan.running]).toEqual([true, 1]);
    plan.close();
  });

  it('a first fetch and a fetch without observers are not cancelled', async () => {
    const plan = new Plan(core, 60_000);
    let outcome;
    plan.client.fetchQuery({ queryKey: ['plan', 'demo', 'tasks'], queryFn: plan.fetch }).then(
      (data) => {
        outcome = data;
      },
      () => {
        outcome = 'cancelled';
      },
    );
    plan.change();
    const { data } = plan.show(['plan', 'demo']);
    await advance(59_000);
    plan.change();
    expect([plan.begun.length, data, outcome]).toEqual([2, undefined, undefined]);
    await advance(1_000);
    expect(outcome).toBe(0);
    plan.change();
    plan.client.fetchQuery({ queryKey: ['plan', 'demo', 'tasks'], queryFn: plan.fetch, staleTime: 0 }).then(
      (data) => {
        outcome = data;
      },
      () => {
        outcome = 'cancelled';
      },
    );
    await advance(1_000);
    plan.change();
    await advance(59_000);
    expect(outcome).toBe(3);
    plan.close();
  });
});
