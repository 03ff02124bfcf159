// What is asked for in the first moments of a page, while it is not connected yet: nothing is judged that could not be looked at.
import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { paths } from '../src/nats/contract.ts';
import { Browsers, live, PASSPHRASE } from './browsers.ts';
import { Mesh, missingMesh } from './mesh.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

/** A claim is looked for at a resolver, which may be slow to say that there is none. */
const LOOKED_FOR = { timeout: 40_000 };
const CLAIM = 'dns:kez.invalid';

describe.skipIf(missing)('a page that is not connected yet', () => {
  let mesh: Mesh;
  const browsers = new Browsers(() => mesh.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
  });
  afterEach(async () => {
    vi.unstubAllGlobals();
    await browsers.close();
  });
  afterAll(() => mesh?.stop());

  /** From now on nobody learns where the broker is, until what this returns is called. */
  function holdConfig(): () => void {
    const ask = fetch;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((done) => (goOn = done));
    vi.stubGlobal('fetch', async (...given: Parameters<typeof fetch>) => {
      if (String(given[0]).endsWith(paths.config)) await held;
      return ask(...given);
    });
    return goOn;
  }

  test('checks its claims, and those of others, when it is connected', async () => {
    const judy = await browsers.create('judy');
    await judy.kez.claims.add(CLAIM);
    const primary = judy.kez.account.current?.primary ?? '';
    await judy.close();
    const goOn = holdConfig();
    const reloaded = await browsers.open('judy');
    const { claims, connection } = reloaded.kez;
    const seen: string[] = [];
    const others = claims.ofPerson(primary, ([claim]) => seen.push(claim?.status ?? ''));
    await claims.loadMine();
    await expect.poll(() => seen).toEqual(['unchecked']);
    expect([connection.state, claims.mine]).toMatchObject([
      'connecting',
      [{ subject: CLAIM, status: 'unchecked', why: null }],
    ]);
    goOn();
    await expect.poll(() => claims.mine[0]?.status, LOOKED_FOR).toMatch(/failed|unreachable/);
    await others;
    expect(seen).toEqual(['unchecked', 'checking', claims.mine[0]?.status]);
    expect(claims.mine[0]?.why).not.toMatch(/locked|unavailable/);
  });

  test('claims what its sigchain takes, and tells the registry when it is connected', async () => {
    const ken = await browsers.create('ken');
    await ken.close();
    const goOn = holdConfig();
    const reloaded = await browsers.open('ken');
    const { kez } = reloaded;
    await kez.account.unlock(PASSPHRASE);
    await kez.claims.add(CLAIM);
    expect([kez.connection.state, kez.claims.mine]).toMatchObject([
      'connecting',
      [{ subject: CLAIM, sync: 'synced', syncFailure: null }],
    ]);
    goOn();
    await live(reloaded);
    const proofs = async () => {
      const answer = await fetch(`${mesh.origin}${paths.user('ken')}`);
      return ((await answer.json()) as { proofs: unknown }).proofs;
    };
    await expect.poll(proofs).toEqual([CLAIM]);
  });
});
