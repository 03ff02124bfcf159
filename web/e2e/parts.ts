// A disposable mesh whose broker and services are processes of their own, so that each can be killed and started again by
// itself. What `kez init` has made, and what nats/ and deploy/ say of running services, is all they get.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { BINARY, freePorts, Mesh, WEB } from './mesh.ts';

const run = promisify(execFile);

export const SERVICES = ['auth-callout', 'registry', 'inbox', 'sigchain', 'gateway'] as const;
export const PARTS = ['broker', ...SERVICES] as const;
export type Part = (typeof PARTS)[number];

const CONFIGURATION = resolve(import.meta.dirname, '../../nats/server.conf');
/** The services' own binaries lie beside the command. */
const FOLDER = process.env['KEZ_SERVICES'] ?? dirname(BINARY);
/** How long it is waited until all of it answers, and between two looks, in milliseconds. */
const START = 30_000;
const LOOK_EVERY = 50;

/** Why the parts cannot be run by themselves here; undefined if they can. */
export function missingParts(): string | undefined {
  const missing = SERVICES.filter((service) => !existsSync(join(FOLDER, `kez-${service}`)));
  return missing.length > 0 ? `not built: ${missing.join(', ')}; cargo build --workspace --bins` : undefined;
}

export class PartedMesh extends Mesh {
  readonly #running = new Map<Part, ChildProcess>();

  static override async start(): Promise<PartedMesh> {
    const mesh = new PartedMesh(await mkdtemp(join(tmpdir(), 'kez-parts-')), await freePorts(3));
    await run(BINARY, ['init', '--data', mesh.folder], { env: mesh.environment({}) });
    await mesh.up();
    return mesh;
  }

  override async up(): Promise<void> {
    for (const part of PARTS) await this.begin(part);
    await this.ready();
  }

  /** When every part answers. */
  async ready(): Promise<void> {
    for (const late = Date.now() + START; !(await this.#answers());) {
      if (Date.now() > late) throw new Error('the services are not up');
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }

  override async down(): Promise<void> {
    for (const part of [...PARTS].reverse()) await this.kill(part);
  }

  override async stop(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Starts a part, or starts it again. It is not waited for: whoever needs it finds it as soon as it is there. */
  async begin(part: Part): Promise<void> {
    const [command, args] = part === 'broker' ? this.#broker() : [join(FOLDER, `kez-${part}`), []];
    const env = part === 'broker' ? await this.#brokerVariables() : this.#variables(part);
    this.#running.set(part, spawn(command, args, { env: this.environment(env), stdio: 'ignore' }));
  }

  /** SIGKILL: it has no chance to do anything any more. */
  async kill(part: Part): Promise<void> {
    const process = this.#running.get(part);
    this.#running.delete(part);
    if (!process || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  async #answers(): Promise<boolean> {
    try {
      const roll = (await (await fetch(`${this.origin}/v1/readyz`)).json()) as { services?: object };
      return SERVICES.every((service) => service === 'gateway' || service in (roll.services ?? {}));
    } catch {
      return false;
    }
  }

  #address(at: number): string {
    return `127.0.0.1:${this.ports[at]}`;
  }

  #broker(): [string, string[]] {
    return [process.env['KEZ_NATS_SERVER'] ?? 'nats-server', ['-c', CONFIGURATION]];
  }

  /** The public keys, and addresses and paths in quotes: the configuration reads them as its own syntax. */
  async #brokerVariables(): Promise<Record<string, string>> {
    const keys = (await readFile(join(this.folder, 'nats.env'), 'utf8')).trim().split('\n');
    const quoted = (text: string) => `"${text}"`;
    return {
      ...Object.fromEntries(keys.map((line) => line.split('=') as [string, string])),
      KEZ_NATS_LISTEN: quoted(this.#address(1)),
      KEZ_NATS_WEBSOCKET_LISTEN: quoted(this.#address(2)),
      KEZ_NATS_PID_FILE: quoted(join(this.folder, 'nats.pid')),
      KEZ_NATS_STATE_DIR: quoted(this.folder),
      KEZ_NATS_STORE_DIR: quoted(join(this.folder, 'streams')),
    };
  }

  #variables(service: (typeof SERVICES)[number]): Record<string, string> {
    const key = (name: string) => join(this.folder, 'keys', `${name}.nk`);
    return {
      KEZ_NATS_URL: `nats://${this.#address(1)}`,
      KEZ_NATS_SEED_FILE: key(service),
      KEZ_SERVER: this.server,
      KEZ_PUBLIC_URL: this.origin,
      DATABASE_URL: `sqlite://${join(this.folder, `${service}.db`)}?mode=rwc`,
      KEZ_AUTH_ISSUER_SEED_FILE: key('issuer'),
      KEZ_AUTH_XKEY_SEED_FILE: key('auth-xkey'),
      KEZ_LISTEN: this.#address(0),
      KEZ_NATS_WEBSOCKET_URL: `ws://${this.#address(2)}`,
      KEZ_WEB_DIR: WEB,
    };
  }
}
