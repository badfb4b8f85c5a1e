// @vitest-environment jsdom
import { render } from '@testing-library/react';
import { createElement as h, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import { PlanRoomsProvider, usePlanRooms } from '../react.js';
import { jwt, last, sockets } from './fake.js';
import { advance, live, newClient, page, Plan, server, settled, shown, useReact } from './rendering.js';

useReact();

describe('PlanRoomsProvider', () => {
  it('creates one client, and uses the getToken of the last render', async () => {
    const tokens = [];
    const provided = (name) =>
      h(
        PlanRoomsProvider,
        {
          url: '/live',
          getToken: async ({ reason }) => {
            tokens.push(`${name} ${reason}`);
            return jwt(3600);
          },
        },
        h(Plan, { planId: 'demo' }),
      );
    const { rerender } = render(provided('first'));
    await live();
    rerender(provided('second'));
    await server((s) => s.end(4401, { reauth: true }));
    await settled();
    expect([tokens, sockets.map((s) => s.url.pathname)]).toEqual([
      ['first connect', 'second rejected'],
      ['/live', '/live'],
    ]);
  });

  it('uses the getExpiry of the last render', async () => {
    const calls = [];
    const provided = (name) =>
      h(
        PlanRoomsProvider,
        {
          credentials: 'cookie',
          getExpiry: async ({ reason }) => {
            calls.push(`${name} ${reason}`);
          },
        },
        h(Plan, { planId: 'demo' }),
      );
    const { rerender } = render(provided('first'));
    await live();
    rerender(provided('second'));
    await advance(2_000);
    await server((s) => s.end(4401, { reauth: true }));
    await settled();
    expect([calls, sockets.length]).toEqual([['first connect', 'second rejected'], 2]);
  });

  it('renders after a login do not abort a slow getToken', async () => {
    let token = null;
    let calls = 0;
    const provided = () =>
      h(
        PlanRoomsProvider,
        {
          getToken: async () => {
            calls++;
            if (token)
              await new Promise((resolve) => {
                setTimeout(resolve, 500);
              });
            return token;
          },
        },
        h(Plan, { planId: 'demo' }),
      );
    const { rerender } = render(provided());
    await settled();
    token = jwt(3600);
    for (let i = 0; i < 20; i++) {
      rerender(provided());
      await advance(300);
    }
    expect([sockets.length, calls]).toEqual([1, 2]);
  });

  it('a login during a getToken that returns no token: the new getToken is called', async () => {
    const provided = (token) =>
      h(
        PlanRoomsProvider,
        {
          getToken: async () => {
            if (!token)
              await new Promise((resolve) => {
                setTimeout(resolve, 500);
              });
            return token;
          },
        },
        h(Plan, { planId: 'demo' }),
      );
    const { rerender } = render(provided(null));
    await advance(100);
    rerender(provided(jwt(3600)));
    await advance(2_000);
    await live();
    expect([sockets.length, shown.status]).toEqual([1, 'live']);
  });

  it('accepts credentials instead of getToken', async () => {
    render(h(PlanRoomsProvider, { credentials: 'cookie' }, h(Plan, { planId: 'demo' })));
    await live();
    expect([last().protocols, shown.status]).toEqual([['planrooms.v1'], 'live']);
  });

  it('provides its client', () => {
    const client = newClient();
    let given;
    page(
      h(() => {
        given = usePlanRooms();
        return null;
      }),
      { client },
    );
    expect(given).toBe(client);
  });

  it.each([
    ['a url', '/a', '/b'],
    ['a URL', new URL('https://app.test/a'), new URL('https://app.test/b')],
  ])('%s that changes: a new client joins, and the old one is closed', async (_, first, second) => {
    const provided = (url, token) =>
      h(StrictMode, null, h(PlanRoomsProvider, { url, getToken: async () => token }, h(Plan, { planId: 'demo' })));
    const { rerender } = render(provided(first, jwt(3600)));
    await live();
    rerender(provided(typeof first === 'string' ? first : new URL(first), jwt(3600)));
    await advance(2_000);
    expect(sockets.length).toBe(1); // the same
    const next = jwt(1800);
    rerender(provided(second, next));
    await live();
    expect(sockets.map((s) => [s.url.pathname, s.closed])).toEqual([
      ['/a', 1000],
      ['/b', null],
    ]);
    expect([last().token(), last().of('join-plan').length, shown.status]).toEqual([next, 1, 'live']);
  });

  it('passes other options on to the client, and applies changes of them', async () => {
    const provided = (clientId) =>
      h(PlanRoomsProvider, { clientId, getToken: async () => jwt(3600) }, h(Plan, { planId: 'demo' }));
    const { rerender } = render(provided('one'));
    await live();
    rerender(provided('two'));
    await live();
    expect(sockets.map((s) => s.url.searchParams.get('client'))).toEqual(['one', 'two']);
  });

  it('a client instead of options: closes the one it created, and the reverse', async () => {
    const client = newClient();
    const provided = (props) => h(PlanRoomsProvider, props, h(Plan, { planId: 'demo' }));
    const getToken = async () => jwt(3600);
    const { rerender } = render(provided({ url: '/own', getToken }));
    await live();
    rerender(provided({ client }));
    await live();
    await advance(2_000);
    expect(sockets.map((s) => [s.url.pathname, s.closed])).toEqual([
      ['/own', 1000],
      ['/ws', null],
    ]);
    rerender(provided({ url: '/other', getToken }));
    await live();
    await advance(2_000);
    expect(sockets.map((s) => [s.url.pathname, s.closed])).toEqual([
      ['/own', 1000],
      ['/ws', 1000],
      ['/other', null],
    ]);
  });

  it('a login that is restored after the first render makes the plan live', async () => {
    const getToken = vi.fn(async () => null);
    const provided = (f) => h(PlanRoomsProvider, { getToken: f }, h(Plan, { planId: 'demo' }));
    const { rerender } = render(provided(getToken));
    await settled();
    expect(shown).toMatchObject({ status: 'stopped', lastError: { code: 'unauthenticated' } });
    // No user is logged in yet.
    for (let i = 0; i < 20; i++) rerender(provided((request) => getToken(request)));
    await advance(10_000);
    expect(getToken.mock.calls.length).toBe(2);
    rerender(provided(async () => jwt(3600)));
    await advance(250);
    await live();
    expect(shown).toMatchObject({ status: 'live', lastError: null });
  });

  it('renders on a server', () => {
    const html = renderToString(
      h(
        PlanRoomsProvider,
        { url: '/ws', getToken: () => null },
        h(() => h('p', null, usePlanRooms().state)),
      ),
    );
    expect(html).toBe('<p>idle</p>');
  });
});
