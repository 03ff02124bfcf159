// Addresses name pages, old ones too, and nothing else does.
import { expect, test } from 'vitest';
import { chatPath, paths, route } from './routes.ts';

test('every page has its address', () => {
  for (const [name, path] of Object.entries(paths)) expect(route(path)).toEqual({ name });
  expect(route('/settings/')).toEqual({ name: 'settings' });
});

test('addresses of earlier clients lead on', () => {
  expect(route('/messages')).toEqual({ name: 'chats' });
  expect(route('/dashboard')).toEqual({ name: 'identity' });
});

test('a chat is named by whom it is with', () => {
  const key = `ed25519:${'ab'.repeat(32)}`;
  expect(route(chatPath(key))).toEqual({ name: 'chats', peer: key });
  expect(route('/chats/alice@kez.lat')).toEqual({ name: 'chats', peer: 'alice@kez.lat' });
});

test.each(['/nothing', '/chats/a/b', '/chats/%zz', '/settings/x', `/chats/${'x'.repeat(500)}`])(
  '%s is not found',
  (path) => {
    expect(route(path)).toEqual({ name: 'not-found' });
  },
);
