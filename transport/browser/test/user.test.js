import { describe, expect, it } from 'vitest';
import { Client } from '../planrooms.js';
import { advance } from './connecting.js';
import { jwt, last, settled, useFakes } from './fake.js';
import { Plan as Queries, versions } from './querying.js';
import { watch } from './watching.js';

useFakes();

const ann = { userId: 'ann', userName: 'Ann', connections: 1 };

describe('a hello that names another user', () => {
  // Ann has the plan open at position 10. Then the login changes.
  async function open(handlers) {
    const login = { token: jwt(3600) };
    const client = new Client({ getToken: async () => login.token });
    const watcher = watch(client, 'demo', handlers);
    await settled();
    last()
      .hello()
      .answer('demo', 10, { participants: [ann] });
    await settled();
    watcher.received.length = 0;
    return { client, login, ...watcher };
  }
  const renewed = async ({ client, login }) => {
    login.token = jwt(1800);
    await client.renew();
    await settled();
  };

  it.each([
    [
      'after a logout',
      async (s) => {
        s.login.token = null;
        await s.client.renew();
        expect(s.plan.status).toBe('stopped');
        await renewed(s);
      },
    ],
    [
      'after a renewal on the open connection',
      async (s) => {
        await renewed(s);
        last().say({ type: 'error', data: { code: 'bad_token', message: '', re: 'authenticate' } });
        await settled();
      },
    ],
    [
      'after a lost connection',
      async () => {
        last().end(1006);
        await advance(500);
      },
    ],
    [
      'after disconnect and connect',
      async (s) => {
        s.client.disconnect();
        s.client.connect();
        await settled();
      },
    ],
  ])('%s: the plan is joined without a position, and loaded', async (_, change) => {
    const s = await open();
    last().event('demo', 11, 10, { version: { key: 't1', n: 5 } });
    await change(s);
    last().hello('bob');
    expect([last().of('join-plan'), s.plan.participants, s.plan.participantCount, s.plan.position]).toEqual([
      [{ type: 'join-plan', planId: 'demo' }],
      [],
      0,
      null,
    ]);
    last().answer('demo', 11);
    await settled();
    last().event('demo', 12, 11, { version: { key: 't1', n: 1 } }); // the versions of the previous user are dropped
    expect(s.received).toEqual([11, 'load user 11', 12]);
  });

  it('the same user resumes', async () => {
    const s = await open();
    await renewed(s);
    last().say({ type: 'error', data: { code: 'bad_token', message: '', re: 'authenticate' } });
    await settled();
    last().hello();
    expect(last().of('join-plan')[0].since).toEqual({ epoch: 'e1', seq: 10 });
  });

  it('a load that does not return is repeated for the new user, also after another reconnect', async () => {
    const reasons = [];
    const s = await open({
      load: ({ reason }) => {
        reasons.push(reason);
        return reason === 'user' && new Promise(() => {});
      },
    });
    for (let i = 0; i < 2; i++) {
      last().end(1006);
      await advance(5_000);
      last().hello('bob').answer('demo', 10);
      await settled();
    }
    expect([reasons, s.plan.status]).toEqual([['joined', 'user', 'user'], 'loading']);
  });

  it('later subscriptions call load as usual', async () => {
    const s = await open();
    last().end(1006);
    await advance(500);
    last().hello('bob').answer('demo', 10);
    await settled();
    const { received } = watch(s.client);
    await settled();
    expect([s.received, received]).toEqual([['load user 10'], ['load joined 10']]);
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
    s.plan.retry();
    last().answer('demo', 12);
    await settled();
    expect([s.received.at(-1), received.at(-1)]).toEqual(['load joined 12', 'load joined 12']);
  });

  it('a plan that was joined after close() keeps its position', async () => {
    const s = await open();
    s.client.close();
    watch(s.client, 'demo', { since: { epoch: 'e1', seq: 12 } });
    await settled();
    last().hello('bob');
    expect(last().of('join-plan')[0].since).toEqual({ epoch: 'e1', seq: 12 });
  });

  it('does not get the presence state of the previous user', async () => {
    const s = await open();
    s.plan.setPresence({ editing: 't1' });
    await advance(250);
    expect(last().of('update-presence').length).toBe(1);
    last().end(1006);
    await advance(500);
    last().hello('bob').answer('demo', 10);
    await advance(5_000);
    expect(last().of('update-presence')).toEqual([]);
    s.plan.setPresence({ editing: 't2' });
    await advance(250);
    expect(
      last()
        .of('update-presence')
        .map(({ data }) => data.state),
    ).toEqual([{ editing: 't2' }]);
  });

  it('denied plans are joined again', async () => {
    const s = await open();
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
    last().end(1006);
    await advance(500);
    last().hello();
    expect([s.plan.status, last().of('join-plan')]).toEqual(['denied', []]);
    last().end(1006);
    await advance(500);
    last().hello('bob');
    expect([s.plan.status, s.plan.error, last().of('join-plan')]).toEqual([
      'joining',
      null,
      [{ type: 'join-plan', planId: 'demo' }],
    ]);
    last().answer('demo', 10);
    await settled();
    expect(s.received.at(-1)).toBe('load user 10');
  });
});

describe.each(versions)('a load for another user, TanStack Query %s', (_, core) => {
  it('fetches again immediately, even from the same position, and after a fetch in flight', async () => {
    const plan = new Queries(core, 100);
    const shown = plan.show();
    await advance(200);
    const load = (reason) =>
      plan.queries.reload({ reason, position: { epoch: 'e1', seq: 10 }, signal: new AbortController().signal });
    void load('joined');
    await advance(200);
    expect(plan.begun.length).toBe(1);
    for (const [user, value] of [
      ['bob', 2],
      ['ann', 3],
    ]) {
      plan.value = `${user} ${value}`;
      void load('user');
      await advance(100);
      expect([plan.begun.length, shown.data]).toEqual([value, plan.value]);
    }
    void load('user');
    await advance(50);
    plan.value = 'cy';
    void load('user');
    await advance(150);
    expect([plan.begun.length, shown.data]).toEqual([5, 'cy']);
    plan.close();
  });
});
