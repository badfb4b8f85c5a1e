import { describe, expect, it } from 'vitest';
import { Client } from '../planrooms.js';
import { jwt, last, settled, useFakes } from './fake.js';

useFakes();

describe('the client', () => {
  it('tells of changes, notices and errors, to who listens', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const told = [];
    const offs = [
      client.on('change', (c) => told.push(c.state)),
      client.on('notice', (m) => told.push(m.type)),
      client.on('error', (e) => told.push(e.code)),
    ];
    client.connect();
    await settled();
    last().hello();
    last().say({ type: 'assigned', data: { taskId: 't1' } });
    last().say({ type: 'error', data: { code: 'bad_message', message: '', re: '' } });
    last().say({ type: 'pong' });
    last().end(1006);
    expect(told).toEqual(['connecting', 'connected', 'assigned', 'bad_message', 'waiting']);
    for (const off of offs) off();
    client.disconnect();
    expect(told.length).toBe(5);
  });

  it('headers for changes by the API', () => {
    const client = new Client({ getToken: () => null, clientId: 'c' });
    expect(client.headers()).toEqual({ 'X-Plan-Client': 'c' });
    expect(client.headers('m')).toEqual({ 'X-Plan-Client': 'c', 'X-Plan-Mutation': 'm' });
    expect(new Client({ getToken: () => null }).clientId).toMatch(/^[0-9a-f]{32}$/);
  });
});
