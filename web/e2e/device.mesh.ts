// A browser's own key against a real mesh: none is on the sigchain that nobody holds, whatever fails on the way.
import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { paths } from '../src/nats/contract.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
import { Mesh, missingMesh } from './mesh.ts';
import type { Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

describe.skipIf(missing)('the device of a browser', () => {
  let mesh: Mesh;
  const browsers = new Browsers(() => mesh.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await browsers.close();
  });
  afterAll(() => mesh?.stop());

  const devices = async ({ kez }: Tab) =>
    (await kez.chains.read(kez.account.current?.primary ?? '')).devices.map(({ isThis }) => isThis).sort();

  test('is not added while its key cannot be kept, however often one unlocks', async () => {
    const first = await browsers.create('oscar');
    const second = await browsers.open('oscar-2');
    const put = IDBObjectStore.prototype.put;
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      ...given
    ) {
      if ((given[0] as { name?: unknown }).name === 'device')
        throw new DOMException('', 'QuotaExceededError');
      return put.apply(this, given);
    });
    await second.kez.account.restore({ secret: first.words.join(' '), passphrase: PASSPHRASE });
    for (let unlocks = 0; unlocks < 2; unlocks++) {
      await live(second);
      await second.kez.account.lock();
      await second.kez.account.unlock(PASSPHRASE);
    }
    await live(second);
    expect(await devices(second)).toEqual([false]);

    full.mockRestore();
    await second.kez.account.lock();
    await second.kez.account.unlock(PASSPHRASE);
    await live(second);
    expect(await devices(second)).toEqual([false, true]);
  });

  test('is added once, though the answer is lost and the page closed', async () => {
    const first = await browsers.create('peggy');
    const second = await browsers.open('peggy-2');
    const events = paths.sigchain(
      'ed25519',
      (first.kez.account.current?.primary ?? '').slice('ed25519:'.length),
    );
    const { fetch } = globalThis;
    let lost = 0;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, request) => {
      const answer = await fetch(url, request);
      if (request?.method !== 'POST' || !String(url).endsWith(events)) return answer;
      lost += 1;
      // What comes next would have asked again at once.
      void second.kez.close();
      throw new TypeError('the connection was closed');
    });
    await second.kez.account
      .restore({ secret: first.words.join(' '), passphrase: PASSPHRASE })
      .catch(() => undefined);
    await expect.poll(() => lost, PATIENCE).toBe(1);
    expect(await devices(first)).toEqual([false, true]);

    vi.restoreAllMocks();
    const again = await browsers.open('peggy-2');
    expect(again.kez.account.status).toBe('locked');
    await again.kez.account.unlock(PASSPHRASE);
    await live(again);
    expect(await devices(again)).toEqual([false, true]);
  });
});
