// Nobody sees a page that is not for them, and nobody is led in a circle.
import { expect, test } from 'vitest';
import type { RouteName } from '../routes.ts';
import type { AccountStatus } from '../state/account.svelte.ts';
import { detour } from './gate.ts';

test.each<[AccountStatus, RouteName, string | undefined]>([
  ['starting', 'chats', undefined],
  ['none', 'landing', undefined],
  ['none', 'chats', '/'],
  ['none', 'unlock', '/'],
  ['wiped', 'settings', '/'],
  ['wiped', 'restore', undefined],
  ['locked', 'landing', '/unlock'],
  ['locked', 'chats', undefined],
  ['locked', 'restore', undefined],
  ['unlocked', 'landing', '/chats'],
  ['unlocked', 'unlock', '/chats'],
  ['unlocked', 'create', '/welcome'],
  ['unlocked', 'restore', '/chats'],
  ['unlocked', 'settings', undefined],
  ['none', 'trust', undefined],
  ['unlocked', 'not-found', undefined],
])('%s at %s is led to %s', (status, name, path) => {
  expect(detour(status, { name })).toBe(path);
});
