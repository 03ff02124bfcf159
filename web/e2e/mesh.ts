// A disposable mesh: `kez up` in a folder of its own on ports of its own, and people at its command line. Skip a test with
// `missingMesh()` where there is no binary: it says what is missing.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The command: KEZ_BINARY, or what `cargo build` has made in this repository. */
export const BINARY = process.env['KEZ_BINARY'] ?? resolve(import.meta.dirname, '../../target/debug/kez');

/** The pages that the gateway serves: KEZ_WEB_DIR, or what `npm run build` has made here. */
export const WEB = process.env['KEZ_WEB_DIR'] ?? resolve(import.meta.dirname, '../dist');

/** How long a mesh may take to start, in milliseconds; it takes about one second. */
const START = 30_000;

/** Why no mesh can be started here; undefined if one can. */
export function missingMesh(): string | undefined {
  if (!existsSync(BINARY)) return 'no kez binary: cargo build -p kez, or set KEZ_BINARY';
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const hasBroker =
    process.env['KEZ_NATS_SERVER'] ?? folders.find((folder) => existsSync(join(folder, 'nats-server')));
  return hasBroker ? undefined : 'no nats-server on the PATH';
}

/** A person at the command line, with an identity file of their own. */
export interface CliPerson {
  handle: string;
  /** `ed25519:<64 hex>`. */
  primary: string;
  /** Runs `kez …` as this person: what it printed. */
  kez(...args: string[]): Promise<string>;
  /** The mailbox, opened: one object a message, as `kez inbox --json` prints it. */
  inbox(): Promise<Record<string, unknown>[]>;
}

export class Mesh {
  /** The domain after the @. */
  readonly server = 'localhost';
  protected readonly folder: string;
  /** Of the gateway, of the broker, and of the broker's WebSocket. */
  protected readonly ports: readonly number[];
  #process: ChildProcess | undefined;
  #said = '';

  readonly #pages: string;

  protected constructor(folder: string, ports: readonly number[], pages = WEB) {
    this.folder = folder;
    this.ports = ports;
    this.#pages = pages;
  }

  /** A mesh that runs, with the pages of this folder. */
  static async start(pages?: string): Promise<Mesh> {
    const folder = await mkdtemp(join(tmpdir(), 'kez-mesh-'));
    const mesh = new Mesh(folder, await freePorts(3), pages);
    await mesh.up();
    return mesh;
  }

  /** Where the gateway is: `http://127.0.0.1:<port>`. */
  get origin(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  /** Starts it again after `down`, with everything that it has stored. */
  async up(): Promise<void> {
    const [web, nats, webSocket] = this.ports.map((port) => `127.0.0.1:${port}`);
    const kez = spawn(BINARY, ['up', '--data', join(this.folder, 'data'), '--server', this.server], {
      env: this.environment({
        KEZ_LISTEN: web ?? '',
        KEZ_NATS_LISTEN: nats ?? '',
        KEZ_NATS_WEBSOCKET_LISTEN: webSocket ?? '',
        KEZ_WEB_DIR: this.#pages,
        // Stories write faster than people do, and come back more often.
        KEZ_SENDS_PER_MINUTE: '600',
        KEZ_TUNNELS_PER_MINUTE: '600',
      }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = kez;
    this.#said = '';
    await new Promise<void>((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`kez up is not up:\n${this.#said}`)), START);
      const hear = (piece: Buffer) => {
        this.#said += piece.toString();
        if (!this.#said.includes('Kez is up')) return;
        clearTimeout(late);
        ready();
      };
      kez.stdout.on('data', hear);
      kez.stderr.on('data', hear);
      kez.once('exit', () => failed(new Error(`kez up has ended:\n${this.#said}`)));
    });
  }

  /** Stops it and keeps what it has stored. */
  async down(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (!process || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGTERM');
    await ended;
  }

  /** Stops it for good. */
  async stop(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Somebody with a fresh key who has registered a handle. */
  async person(handle: string): Promise<CliPerson> {
    return this.#enter(handle, async (kez) => {
      await kez('identity', 'new');
      await kez('register', handle);
    });
  }

  /** Somebody who has registered elsewhere, and types their phrase. */
  async restored(handle: string, words: readonly string[]): Promise<CliPerson> {
    return this.#enter(handle, (_, environment) => {
      const restoring = run(BINARY, ['identity', 'restore'], { env: environment });
      restoring.child.stdin?.end(`${words.join(' ')}\n`);
      return restoring;
    });
  }

  async #enter(
    handle: string,
    begin: (kez: CliPerson['kez'], environment: NodeJS.ProcessEnv) => Promise<unknown>,
  ): Promise<CliPerson> {
    const identity = join(this.folder, `${handle}.json`);
    const environment = this.environment({
      KEZ_IDENTITY: identity,
      KEZ_PASSPHRASE: `the passphrase of ${handle}`,
      KEZ_URL: this.origin,
      KEZ_SERVER: this.server,
    });
    const kez = async (...args: string[]) => (await run(BINARY, args, { env: environment })).stdout;
    await begin(kez, environment);
    const shown = JSON.parse(await kez('identity', 'show', '--json')) as { primary: string };
    const inbox = async () => {
      const lines = (await kez('inbox', '--json')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    return { handle, primary: shown.primary, kez, inbox };
  }

  protected environment(more: Record<string, string>): NodeJS.ProcessEnv {
    const { PATH, HOME, KEZ_NATS_SERVER } = process.env;
    return { PATH, HOME, ...(KEZ_NATS_SERVER ? { KEZ_NATS_SERVER } : {}), ...more };
  }
}

/** Ports of the loopback that nobody uses now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
