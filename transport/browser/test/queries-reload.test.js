import { describe, expect, it } from 'vitest';
import { useFakes } from './fake.js';
import { advance, Plan, versions } from './querying.js';

useFakes();

describe.each(versions)('TanStack Query %s', (_, core) => {
  describe('a reload', () => {
    it('fetches all queries of the plan at once, and ends when they end', async () => {
      const plan = new Plan(core, 300);
      await plan.showOld();
      await plan.showOld(['plan', 'demo', 'members']);
      plan.begun = [];
      plan.value = 7;
      let loaded = false;
      void plan.reload().then(() => {
        loaded = true;
      });
      // Another hook.
      void plan.queries.reload({
        reason: 'resync',
        position: { epoch: 'e1', seq: plan.seq },
        signal: new AbortController().signal,
      });
      await advance(0);
      expect([plan.begun.length, loaded]).toEqual([2, false]);
      await advance(300);
      expect([plan.data(), loaded]).toEqual([7, true]);
      await advance(20_000);
      expect(plan.begun.length).toBe(2);
      plan.close();
    });

    it('waits for the fetch in flight, and starts the next one right after it', async () => {
      const plan = new Plan(core, 300);
      const { observer } = await plan.showOld();
      void observer.refetch();
      await advance(100);
      plan.value = 1;
      let loaded = 0;
      const now = Date.now();
      void plan.reload('not_recovered').then(() => {
        loaded = Date.now() - now;
      });
      await advance(5_000);
      expect([loaded, plan.data(), plan.begun.length]).toEqual([500, 1, 2]);
      plan.close();
    });

    it('a hanging query below the plan delays nothing; one of the keys delays the events for 10 s', async () => {
      for (const [queryKey, held] of [
        [['plan', 'demo', 'attachments'], 0],
        [['plan', 'demo', 'tasks'], 10_000],
      ]) {
        const plan = new Plan(core, 0);
        plan.show(queryKey, { queryFn: () => new Promise(() => {}) });
        const now = Date.now();
        let loaded;
        void plan.reload().then(() => {
          loaded = Date.now() - now;
        });
        await advance(60_000);
        expect(loaded).toBe(held);
        plan.close();
      }
    });

    it('ends when its signal aborts, when a query is removed, and when no component observes it any more', async () => {
      const abort = new AbortController();
      for (const end of [() => abort.abort(), (plan) => plan.client.clear(), (_, { stop }) => stop()]) {
        const plan = new Plan(core, 1_000);
        const shown = await plan.showOld();
        let loaded = false;
        void plan.reload('resync', abort.signal).then(() => {
          loaded = true;
        });
        await advance(10);
        expect(loaded).toBe(false);
        end(plan, shown);
        await advance(1_500);
        expect(loaded).toBe(true);
        plan.close();
      }
    });

    it('does not wait for a query that fails or is paused', async () => {
      const plan = new Plan(core, 10);
      await plan.showOld();
      plan.fail = true;
      let loaded = 0;
      void plan.reload().then(() => loaded++);
      await advance(10);
      expect(loaded).toBe(1);
      core.onlineManager.setOnline(false);
      void plan.reload().then(() => loaded++);
      await advance(10);
      core.onlineManager.setOnline(true);
      expect(loaded).toBe(2);
      plan.close();
    });
  });

  describe('a page load', () => {
    it('fetches once during the join, and checks again later', async () => {
      const plan = new Plan(core, 800);
      const { observer } = plan.show();
      await advance(600);
      let loaded = 0;
      const now = Date.now();
      plan.value = 1; // between the fetch and the join
      void plan.reload('joined').then(() => {
        loaded = Date.now() - now;
      });
      await advance(9_000);
      expect([loaded, plan.begun.length, observer.getCurrentResult().data]).toEqual([200, 1, 0]);
      await advance(4_000);
      expect([plan.begun.length, plan.data()]).toEqual([2, 1]);
      await advance(60_000);
      expect(plan.begun.length).toBe(2);
      plan.close();
    });

    it('a fetch that an event caused counts', async () => {
      const plan = new Plan(core, 100);
      plan.show();
      await advance(200);
      void plan.reload('joined');
      plan.change();
      await advance(60_000);
      expect([plan.begun.length, plan.data()]).toEqual([2, 1]);
      plan.close();
    });

    it('data with a position is fetched once', async () => {
      const plan = new Plan(core, 100);
      plan.value = { position: { epoch: 'e1', seq: 2 } };
      plan.show(['plan', 'demo']);
      await advance(200);
      void plan.reload('joined'); // at 2
      await advance(60_000);
      expect(plan.begun.length).toBe(1);
      plan.close();
    });

    it('a fetch that begins after the join counts', async () => {
      const plan = new Plan(core, 100);
      void plan.reload('joined');
      await advance(10);
      plan.show();
      await advance(60_000);
      expect(plan.begun.length).toBe(1);
      plan.close();
    });

    it('older data is fetched again after the join', async () => {
      const plan = new Plan(core, 100);
      await plan.showOld();
      void plan.reload('joined');
      await advance(0);
      expect(plan.begun.length).toBe(1);
      plan.close();
    });
  });
});
