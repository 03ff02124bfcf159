// An archive that is being written or read when its account is locked.
import 'fake-indexeddb/auto';
import { expect, test, vi } from 'vitest';
import { tasks } from '../workers/tasks.ts';
import { Archive } from './archive.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { receiving, someone } from './receiving.ts';

const [me, bob] = [someone(1), someone(2)];
const PASSPHRASE = 'a passphrase of its own';

/** Somebody who has one message, and what derives keys for them, watched. */
async function owner(mail = true) {
  const { account, receive } = await receiving(me);
  if (mail) await receive({ from: bob, body: { kind: 'text', text: 'hello' } });
  const derive = vi.fn(tasks.derive);
  const newDerivation = vi.fn(tasks.newDerivation);
  const archive = new Archive({ derive, newDerivation }, new Clock());
  archive.unlocked(account, () => undefined);
  return { account, archive, derive, newDerivation };
}

test('nothing is derived for a file of an account that was locked meanwhile', async () => {
  const { archive, derive, newDerivation } = await owner();
  const exporting = archive.export(PASSPHRASE);
  archive.locked();
  await expect(exporting).rejects.toMatchObject({ code: 'locked' });
  expect([newDerivation.mock.calls.length, derive.mock.calls.length, archive.progress]).toEqual([0, 0, null]);
});

test('nothing of a file is added to an account that was locked meanwhile', async () => {
  const file = await (await owner()).archive.export(PASSPHRASE);
  const early = await owner(false);
  const opening = early.archive.import(file, PASSPHRASE);
  early.archive.locked();
  await expect(opening).rejects.toMatchObject({ code: 'locked' });
  expect(early.derive).not.toHaveBeenCalled();

  const late = await owner(false);
  late.derive.mockImplementationOnce(async (...given) => {
    const key = await tasks.derive(...given);
    late.archive.locked();
    return key;
  });
  await expect(late.archive.import(file, PASSPHRASE)).rejects.toMatchObject({ code: 'locked' });
  expect(await late.account.mailbox.count()).toBe(0);
});
