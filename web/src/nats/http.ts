// What is public, over HTTP: asked before anybody has signed in, and by those who cannot yet.
import { isObject, parse, type Json } from '../crypto/json.ts';
import { readReply, refusal } from './calls.ts';
import { paths } from './contract.ts';
import { Refusal } from './refusal.ts';

/** What the server says of itself. */
export interface ServerConfig {
  /** The domain after the @. */
  server: string;
  version: string;
  /** WebSocket addresses of the broker, the best first; a relative one is below the page's own origin. */
  nats: string[];
}

/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 10_000;

export class Http {
  readonly #origin: string;
  readonly #heardTime: (serverSeconds: number) => void;

  /** `heardTime` is told the server's clock with every answer. */
  constructor(origin: string, heardTime: (serverSeconds: number) => void = () => undefined) {
    this.#origin = origin;
    this.#heardTime = heardTime;
  }

  async config(): Promise<ServerConfig> {
    const found = await this.get(paths.config);
    const nats = isObject(found) && Array.isArray(found['nats']) ? found['nats'] : [];
    if (!isObject(found) || typeof found['server'] !== 'string') throw new Refusal('internal');
    return {
      server: found['server'],
      version: String(found['version']),
      nats: nats.filter((url) => typeof url === 'string').map((url) => this.webSocket(url)),
    };
  }

  get(path: string): Promise<Json> {
    return this.#ask(path, { method: 'GET' });
  }

  /** Sends a JSON text as it is. */
  post(path: string, text: string): Promise<Json> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(path, { method: 'POST', headers, body: text });
  }

  /** The text of an answer that is no JSON, and its entity tag without quotation marks. */
  async text(path: string): Promise<{ text: string; tag: string | undefined }> {
    const response = await this.#fetch(path, { method: 'GET' });
    return {
      text: await whole(response.text()),
      tag: response.headers.get('etag')?.replace(/^(W\/)?"|"$/g, ''),
    };
  }

  async #ask(path: string, request: RequestInit): Promise<Json> {
    const response = await this.#fetch(path, request);
    return readReply(new Uint8Array(await whole(response.arrayBuffer())));
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(PATIENCE);
    const more = { signal, credentials: 'omit', cache: 'no-store' } as const;
    const response = await whole(fetch(`${this.#origin}${path}`, { ...request, ...more }));
    this.#hearTime(response);
    if (response.ok) return response;
    throw await this.#refusalOf(response);
  }

  async #refusalOf(response: Response): Promise<Refusal> {
    try {
      const found = refusal(parse(new Uint8Array(await response.arrayBuffer())));
      const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
      if (Number.isNaN(retryAfter)) return found;
      return new Refusal(found.code, found.message, { retryAfter, current: found.current });
    } catch {
      // A proxy in between, not the gateway.
      return new Refusal(response.status >= 500 ? 'unavailable' : 'internal', String(response.status));
    }
  }

  #hearTime(response: Response): void {
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.#heardTime(date / 1000);
  }

  /** The WebSocket address of a URL that may be relative to the origin. */
  webSocket(url: string): string {
    const absolute = new URL(url, this.#origin);
    absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
    return absolute.href;
  }
}

/** An answer, or the rest of one, that does not come. */
async function whole<Part>(part: Promise<Part>): Promise<Part> {
  try {
    return await part;
  } catch (error) {
    throw new Refusal('unavailable', error instanceof Error ? error.name : '');
  }
}
