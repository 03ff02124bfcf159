// A push network of the story's own: HTTPS on loopback, under a certificate of its own, and a mesh that may reach it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, Mesh } from './mesh.ts';

const run = promisify(execFile);

/** Why there can be none here; undefined if there can. */
export function missingEndpoint(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, 'openssl'))) ? undefined : 'no openssl on the PATH';
}

/** A push as it came. */
export interface Arrived {
  headers: IncomingHttpHeaders;
  bytes: number;
}

export class PushEndpoint {
  readonly arrived: Arrived[] = [];
  readonly #folder: string;
  readonly #server: Server;
  /** Carries a push on to the browser. */
  deliver: () => Promise<void> = async () => undefined;

  private constructor(folder: string, server: Server) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<PushEndpoint> {
    const folder = await mkdtemp(join(tmpdir(), 'kez-push-'));
    await certify(folder);
    const [key, cert] = await Promise.all(
      ['leaf.key', 'leaf.pem'].map((name) => readFile(join(folder, name))),
    );
    const server = createServer({ key, cert });
    const endpoint = new PushEndpoint(folder, server);
    server.on('request', (request, response) => {
      let bytes = 0;
      request.on('data', (piece: Buffer) => (bytes += piece.length));
      request.on('end', () => {
        endpoint.arrived.push({ headers: request.headers, bytes });
        response.writeHead(201).end();
        void endpoint.deliver();
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return endpoint;
  }

  get address(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Who vouches for it. */
  get authority(): string {
    return join(this.#folder, 'ca.pem');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A mesh whose push service may reach this machine, and believes the endpoint's authority. */
export class PushingMesh extends Mesh {
  #authority = '';

  static async startFor(endpoint: PushEndpoint): Promise<PushingMesh> {
    const folder = await mkdtemp(join(tmpdir(), 'kez-mesh-'));
    const mesh = new PushingMesh(folder, await freePorts(3));
    mesh.#authority = endpoint.authority;
    await mesh.up();
    return mesh;
  }

  protected override environment(more: Record<string, string>): NodeJS.ProcessEnv {
    const push = { KEZ_ALLOW_PRIVATE_PUSH: '127.0.0.0/8', KEZ_PUSH_CA_FILE: this.#authority };
    return super.environment({ ...more, ...push });
  }
}

/** An authority, and a certificate of it for this address. */
async function certify(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=story',
    '-days',
    '2',
  );
  await openssl('req', ...key, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=endpoint');
  await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
  await openssl('x509', '-req', '-in', 'leaf.csr', ...signed, '-out', 'leaf.pem');
}
