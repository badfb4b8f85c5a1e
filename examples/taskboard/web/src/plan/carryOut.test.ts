import { expect, test } from 'vitest';
import { ApiError, NetworkError, type RequestOptions } from '../session/request';
import { plan, task } from '../testing';
import { carryOut, ConflictError, GoneError, type Carrier } from './carryOut';
import { OwnVersions } from './ownVersions';

/** A carrier whose requests are answered one after the other; an error is thrown. */
function carrierOf(...answers: unknown[]) {
  const sent: string[] = [];
  const carrier: Carrier = {
    planId: 'p',
    versions: new OwnVersions(),
    unanswered: new Map(),
    headers: () => ({}),
    cached: () => plan(task('a'), task('b')),
    request: async <T>(path: string, { method = 'GET', body }: RequestOptions = {}) => {
      sent.push(`${method} ${path}${body ? ` ${JSON.stringify(body)}` : ''}`);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as T;
    },
  };
  return { carrier, sent };
}

const conflict = (body: object) => new ApiError(409, 'conflict', 'changed', body);
const rename = { mutationId: 'm', kind: 'update' as const, base: task('a'), fields: { title: 'A' } };

test('changes of different fields are merged', async () => {
  const { carrier, sent } = carrierOf(
    conflict({ task: task('a', { version: 5, status: 'completed' }) }),
    task('a', { version: 6, title: 'A' }),
  );
  const after = (await carryOut(rename, carrier))(plan(task('a')));
  expect(sent).toEqual([
    'PATCH /api/tasks/a {"version":1,"title":"A"}',
    'PATCH /api/tasks/a {"version":5,"title":"A"}',
  ]);
  expect(after.tasks[0]?.version).toBe(6);
});

test('a change of the same field is a conflict', async () => {
  const { carrier } = carrierOf(conflict({ task: task('a', { version: 5, title: 'Theirs' }) }));
  await expect(carryOut(rename, carrier)).rejects.toBeInstanceOf(ConflictError);
});

test('a change of a member who was removed is refused, and its task is not reported as deleted', async () => {
  const missing = new ApiError(404, 'not_found', 'no access', undefined);
  await expect(carryOut(rename, carrierOf(missing, missing).carrier)).rejects.toBe(missing);
  await expect(carryOut(rename, carrierOf(missing, plan()).carrier)).rejects.toBeInstanceOf(GoneError);
});

test('a change whose response was lost succeeds when it is sent again', async () => {
  const { carrier, sent } = carrierOf(conflict({ task: task('a', { version: 2, title: 'A' }) }));
  await carryOut(rename, carrier);
  expect(sent).toHaveLength(1);
});

test('a second change is sent with the version that the first one produced', async () => {
  const { carrier, sent } = carrierOf(
    task('a', { version: 2, title: 'A' }),
    task('a', { version: 3, title: 'A', status: 'completed' }),
  );
  await carryOut(rename, carrier);
  await carryOut({ ...rename, base: task('a', { title: 'A' }), fields: { status: 'completed' } }, carrier);
  expect(sent[1]).toBe('PATCH /api/tasks/a {"version":2,"status":"completed"}');
});

test('a task whose response was lost is not created twice', async () => {
  const create = { mutationId: 'm', kind: 'create' as const, title: 'new' };
  const { carrier, sent } = carrierOf(new NetworkError(), plan(task('a'), task('b'), task('c', { title: 'new' })));
  await expect(carryOut(create, carrier)).rejects.toBeInstanceOf(NetworkError);
  const after = (await carryOut(create, carrier))(plan(task('a'), task('b')));
  expect(sent).toEqual(['POST /api/plans/p/tasks {"title":"new"}', 'GET /api/plans/p']);
  expect(after.tasks.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
});

test('a move is repeated in the current order', async () => {
  const { carrier, sent } = carrierOf(conflict({ taskIds: ['a', 'new', 'b'] }), undefined);
  await carryOut({ mutationId: 'm', kind: 'move', taskId: 'b', title: 'b', after: null }, carrier);
  expect(sent[1]).toBe('POST /api/plans/p/tasks/reorder {"taskIds":["b","a","new"]}');
});

test('a deleted task is restored in its place, also when the response was lost', async () => {
  const change = { mutationId: 'm', kind: 'restore' as const, base: task('a'), after: null };
  const { carrier, sent } = carrierOf({ task: task('a', { version: 2 }), taskIds: ['a', 'b'] });
  expect((await carryOut(change, carrier))(plan(task('b'))).tasks.map(({ id, version }) => `${id}${version}`)).toEqual([
    'a2',
    'b1',
  ]);
  expect(sent).toEqual(['POST /api/tasks/a/restore']);
  const gone = () => new ApiError(404, 'not_found', 'gone', {});
  const again = carrierOf(gone(), plan(task('a', { version: 2 }), task('b')));
  expect((await carryOut(change, again.carrier))(plan(task('b'))).tasks.map(({ id }) => id)).toEqual(['a', 'b']);
  await expect(carryOut(change, carrierOf(gone(), plan(task('b'))).carrier)).rejects.toBeInstanceOf(GoneError);
});

test('a deleted task can be deleted again, but not changed', async () => {
  const gone = () => new ApiError(404, 'not_found', 'gone', {});
  const after = await carryOut({ mutationId: 'm', kind: 'delete', base: task('a') }, carrierOf(gone()).carrier);
  expect(after(plan(task('a'))).tasks).toEqual([]);
  await expect(carryOut(rename, carrierOf(gone()).carrier)).rejects.toBeInstanceOf(GoneError);
});
