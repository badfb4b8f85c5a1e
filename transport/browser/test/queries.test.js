import { describe, expect, it, vi } from 'vitest';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

describe.each(versions)('TanStack Query %s', (_, core) => {
  describe('events', () => {
    // Each change, and how long it took until the cache had it.
    async function delays(ms, every, random) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const plan = new Plan(core, ms);
      await plan.showOld();
      const changed = [Date.now()];
      const took = [];
      plan.client.getQueryCache().subscribe(() => {
        for (let change = took.length + 1; change <= plan.data(); change++)
          took[change - 1] = Date.now() - changed[change];
      });
      for (let i = 1; i <= 200; i++) {
        changed[i] = Date.now();
        plan.change();
        await advance(every);
      }
      await advance(20_000);
      plan.close();
      return { took, plan };
    }

    it.each([50, 200, 600, 1_200, 3_000])(
      'each 100 ms, fetches of %i ms: every change is in the cache within two fetches and 1.5 s',
      async (ms) => {
        for (const random of [0, 0.5, 0.999]) {
          const { took, plan } = await delays(ms, 100, random);
          expect(took.length).toBe(200);
          expect(Math.max(...took)).toBeLessThanOrEqual(2 * ms + 1_500);
          expect(plan.atOnce).toBe(1);
        }
      },
    );

    it.each([
      [600, 500],
      [300, 200],
      [1_200, 900],
    ])('fetches of %i ms and an event each %i ms: the data follows', async (ms, every) => {
      const { took } = await delays(ms, every, 0.5);
      expect(took.length).toBe(200);
      expect(Math.max(...took)).toBeLessThanOrEqual(2 * ms + 1_500);
    });

    it('cause at most one fetch a second, and one for a burst', async () => {
      const plan = new Plan(core, 50);
      await plan.showOld();
      for (let i = 0; i < 5; i++) plan.change();
      await advance(5_000);
      expect(plan.begun.length).toBe(1);
      for (let i = 0; i < 100; i++) {
        plan.change();
        await advance(100);
      }
      expect(plan.begun.length).toBeLessThanOrEqual(12);
      plan.close();
    });

    it('during a fetch cause one more after it; before a fetch that the application starts, none', async () => {
      const plan = new Plan(core, 800);
      const { observer } = await plan.showOld();
      plan.change();
      void observer.refetch(); // after the event: it brings the change
      await advance(5_000);
      expect(plan.begun.length).toBe(1);

      void observer.refetch();
      plan.change(); // the fetch may have missed it
      plan.change();
      await advance(5_000);
      expect([plan.begun.length, plan.data(), plan.atOnce]).toEqual([3, 3, 1]);
      plan.close();
    });

    it('a query that mounts on a busy plan gets its data, and the changes', async () => {
      const plan = new Plan(core, 1_200);
      await plan.showOld();
      const late = plan.show(['plan', 'demo', 'tasks', { filter: 'mine' }]);
      let first;
      for (let i = 0; i < 60; i++) {
        plan.change();
        await advance(100);
        if (first === undefined && late.data !== undefined) first = i;
      }
      expect([first, late.data > 30]).toEqual([11, true]); // after 1,200 ms
      plan.close();
    });

    it('a query without observers is fetched by the next component that uses it', async () => {
      const plan = new Plan(core, 100);
      const { stop } = await plan.showOld();
      stop();
      plan.change();
      await advance(5_000);
      expect(plan.begun.length).toBe(0);
      const shown = plan.show();
      await advance(100);
      expect([plan.begun.length, shown.data]).toEqual([1, 1]);
      plan.close();
    });

    it('of another plan, or of a type of the host, cause no fetch', async () => {
      const plan = new Plan(core, 100);
      await plan.showOld(['plan', 'demo2', 'tasks']);
      await plan.showOld();
      plan.change('members-updated');
      plan.queries.event({ type: 'task-updated', data: {} });
      await advance(5_000);
      expect(plan.begun.length).toBe(1);
      plan.close();
    });

    it('viewers do not fetch in the same millisecond; those of a large plan take up to a second', async () => {
      let n = 0;
      vi.spyOn(Math, 'random').mockImplementation(() => (n++ * 0.618) % 1);
      for (const [participants, least] of [
        [2, 200],
        [5_000, 900],
      ]) {
        const plans = Array.from({ length: 50 }, () => new Plan(core, 10, { participants }));
        for (const plan of plans) plan.show();
        await advance(3_600_000);
        const now = Date.now();
        for (const plan of plans) plan.change();
        await advance(5_000);
        const times = plans.map(({ begun }) => begun.at(-1) - now);
        expect(new Set(times).size).toBeGreaterThan(25);
        expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(least);
        expect(Math.max(...times)).toBeLessThan(1_500);
        for (const plan of plans) plan.close();
      }
    });
  });

  describe('a fetch that the application awaits is not cancelled', () => {
    it.each(['fetchQuery', 'prefetchQuery', 'ensureQueryData'])('a route loader: %s', async (method) => {
      const plan = new Plan(core, 800);
      let outcome;
      plan.client[method]({ queryKey: ['plan', 'demo', 'tasks'], queryFn: plan.fetch }).then(
        () => {
          outcome = 'done';
        },
        (error) => {
          outcome = error;
        },
      );
      for (let i = 0; i < 10; i++) {
        plan.change();
        if (i === 5) void plan.reload();
        await advance(100);
      }
      expect([outcome, plan.begun.length, plan.client.getQueryState(['plan', 'demo', 'tasks']).isInvalidated]).toEqual([
        'done',
        1,
        true,
      ]);
      plan.show(); // the component of the route
      await advance(800);
      expect(plan.data()).toBe(10);
      plan.close();
    });

    it('a first fetch, and a refetch of the application', async () => {
      const plan = new Plan(core, 800);
      const { observer } = plan.show();
      plan.change();
      void plan.reload();
      await advance(800);
      // The reload follows at once.
      expect([plan.begun.length, plan.atOnce, plan.data()]).toEqual([2, 1, 0]);
      await advance(5_000);
      expect([plan.begun.length, plan.data()]).toEqual([2, 1]);
      const results = [];
      void observer.refetch().then(({ data }) => results.push(data));
      plan.change();
      void plan.reload();
      await advance(800);
      expect(results).toEqual([1]);
      plan.close();
    });

    it('a fetch that the application cancels is followed by another one', async () => {
      const plan = new Plan(core, 800);
      await plan.showOld();
      plan.change();
      await advance(500);
      expect(plan.running).toBe(1);
      await plan.client.cancelQueries({ queryKey: ['plan', 'demo', 'tasks'] });
      await advance(5_000);
      expect([plan.begun.length, plan.data()]).toEqual([2, 1]);
      plan.close();
    });
  });

  describe('failures', () => {
    it('are retried as TanStack Query is configured to, and later events retry with growing delays', async () => {
      const plan = new Plan(core, 10);
      const { observer } = await plan.showOld();
      plan.fail = true;
      plan.change();
      await advance(60_000);
      expect([plan.begun.length, observer.getCurrentResult().status]).toEqual([1, 'error']);
      for (let i = 0; i < 600; i++) {
        plan.change();
        await advance(100);
      }
      expect(plan.begun.length).toBeLessThan(10); // in a minute
      plan.fail = false;
      plan.change();
      await advance(31_000);
      expect(plan.data()).toBe(plan.value);
      const before = plan.begun.length;
      plan.change();
      await advance(1_000);
      expect([plan.begun.length, plan.data()]).toEqual([before + 1, plan.value]);
      plan.close();
    });
  });

  describe('mutations', () => {
    function mutate(plan, ms, options = {}) {
      const observer = new core.MutationObserver(plan.client, {
        mutationFn: () =>
          new Promise((resolve) => {
            setTimeout(resolve, ms);
          }),
        ...options,
      });
      void observer.mutate();
    }

    it.each([
      [2_000, 2_000],
      [20_000, 5_000],
    ])('a refetch waits for a mutation of %i ms: until about %i ms', async (ms, until) => {
      const plan = new Plan(core, 10);
      await plan.showOld();
      mutate(plan, ms);
      const now = Date.now();
      plan.change();
      await advance(until - 100);
      expect(plan.begun.length).toBe(0);
      await advance(500);
      expect(plan.begun.length).toBe(1);
      expect(plan.begun[0] - now).toBeGreaterThanOrEqual(until);
      plan.close();
    });

    it('a reload waits as well', async () => {
      const plan = new Plan(core, 10);
      await plan.showOld();
      mutate(plan, 1_000);
      let loaded = false;
      void plan.reload().then(() => {
        loaded = true;
      });
      await advance(900);
      expect([plan.begun.length, loaded]).toEqual([0, false]);
      await advance(300);
      expect([plan.begun.length, loaded]).toEqual([1, true]);
      plan.close();
    });

    it('does not wait for a paused mutation, or for one of another key', async () => {
      const offline = new Plan(core, 10);
      await offline.showOld();
      core.onlineManager.setOnline(false);
      mutate(offline, 2_000);
      await advance(1);
      core.onlineManager.setOnline(true);
      const plan = new Plan(core, 10, { keys: { mutations: ['change', 'demo'] } });
      await plan.showOld();
      mutate(plan, 20_000, { mutationKey: ['change', 'demo2'] });
      const none = new Plan(core, 10, { keys: { mutations: null } });
      await none.showOld();
      mutate(none, 20_000);
      for (const p of [plan, none]) {
        p.change();
        await advance(500);
        expect(p.begun.length).toBe(1);
      }
      mutate(plan, 20_000, { mutationKey: ['change', 'demo', 'title'] });
      await advance(1_000);
      plan.change();
      await advance(3_000);
      expect(plan.begun.length).toBe(1);
      for (const p of [offline, plan, none]) p.close();
    });
  });

  it('leaves no timer when the cache is cleared', async () => {
    const plan = new Plan(core, 100);
    plan.show(undefined, { gcTime: Infinity, cacheTime: Infinity });
    await advance(200);
    void plan.reload('joined');
    plan.change();
    await advance(0);
    expect(vi.getTimerCount()).toBe(2); // of the next fetch, and of the check
    plan.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
