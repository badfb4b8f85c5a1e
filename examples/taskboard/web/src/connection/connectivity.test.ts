import { onlineManager } from '@tanstack/react-query';
import type { Client } from 'planrooms';
import { beforeEach, expect, test, vi } from 'vitest';
import { Connectivity } from './connectivity';

const clientIn = (state: string) => ({ state, on: () => () => {} }) as unknown as Client;
beforeEach(() => {
  vi.stubGlobal('navigator', { onLine: true });
  onlineManager.setOnline(true);
});

test('while the live connection is up, a change without a response is given up and blocks nothing', () => {
  const connectivity = new Connectivity(clientIn('connected'));
  expect(connectivity.unanswered('a')).toBe(false);
  expect(connectivity.unanswered('b')).toBe(false);
  expect(connectivity.unanswered('a')).toBe(true);
  expect(onlineManager.isOnline()).toBe(true);
  connectivity.settled('a');
  expect(connectivity.unanswered('a')).toBe(false);
});

test('without the live connection, changes are queued and sent later', () => {
  vi.useFakeTimers();
  const connectivity = new Connectivity(clientIn('waiting'));
  for (let i = 0; i < 5; i++) expect(connectivity.unanswered('a')).toBe(false);
  expect(onlineManager.isOnline()).toBe(false);
  vi.advanceTimersByTime(15_000);
  expect(onlineManager.isOnline()).toBe(true);
  vi.useRealTimers();
});
