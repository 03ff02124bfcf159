// The broker, for one short visit: signed in with a key that the browser uses and does not show (which is why this is not the
// page's client, whose signatures may not wait), a few questions, gone.
import { toBase64url, utf8 } from '../crypto/bytes.ts';
import { parse, isObject } from '../crypto/json.ts';
import type { Answered, Requester } from '../nats/calls.ts';
import { subjects } from '../nats/contract.ts';
import { isNonce } from '../nats/session.ts';
import type { WakeCredential } from '../storage/wakes.ts';
import { publish, readHeaders, Wire, type Said } from './wire.ts';

/** What the connection calls itself: whoever is connected for this alone is not there to read. */
const NAME = 'kez-wake';

interface Awaited {
  subject: string;
  resolve(reply: Answered): void;
  reject(why: unknown): void;
}

export class Broker implements Requester {
  readonly #socket: WebSocket;
  readonly #credential: WakeCredential;
  readonly #inbox: string;
  readonly #wire = new Wire();
  readonly #signedIn: Promise<void>;
  #isLetIn: () => void = () => undefined;
  #isShutOut: (why: unknown) => void = () => undefined;
  /** One question at a time. */
  #awaited: Awaited | undefined;
  #hasAnswered = false;
  #asked = 0;

  private constructor(credential: WakeCredential, primary: string) {
    this.#credential = credential;
    this.#inbox = `${subjects.inboxPrefix(primary, credential.device)}.wake`;
    this.#signedIn = new Promise((resolve, reject) => {
      this.#isLetIn = resolve;
      this.#isShutOut = reject;
    });
    this.#socket = new WebSocket(credential.url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }) => this.#hear(data));
    this.#socket.addEventListener('close', () =>
      this.#end(new Error('the broker has closed the connection')),
    );
    this.#socket.addEventListener('error', () => this.#end(new Error('the broker cannot be reached')));
  }

  /** Signed in; `primary` is 64 hex digits. Whoever calls bounds the time, and closes. */
  static async open(credential: WakeCredential, primary: string, signal: AbortSignal): Promise<Broker> {
    signal.throwIfAborted();
    const broker = new Broker(credential, primary);
    signal.addEventListener('abort', () => broker.#end(signal.reason), { once: true });
    await broker.#signedIn;
    return broker;
  }

  request(subject: string, text: string): Promise<Answered> {
    const reply = `${this.#inbox}.${++this.#asked}`;
    return new Promise((resolve, reject) => {
      if (this.#awaited || this.#socket.readyState !== WebSocket.OPEN)
        return reject(new Error('not ready for a question'));
      this.#awaited = { subject: reply, resolve, reject };
      const listen = utf8(`UNSUB 1\r\nSUB ${reply} 1\r\n`);
      this.#socket.send(listen);
      this.#socket.send(publish(subject, reply, text));
    });
  }

  close(): void {
    this.#end(new Error('closed'));
  }

  #hear(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error('a text where bytes were due');
      for (const said of this.#wire.take(new Uint8Array(data))) this.#take(said);
    } catch (error) {
      this.#end(error);
    }
  }

  #take(said: Said): void {
    switch (said.op) {
      case 'info':
        if (!this.#hasAnswered) void this.#answer(said.text).catch((error: unknown) => this.#end(error));
        break;
      case 'ping':
        this.#socket.send(utf8('PONG\r\n'));
        break;
      case 'pong':
        this.#isLetIn();
        break;
      case 'error':
        throw new Error(said.text);
      case 'message':
        this.#reply(said);
    }
  }

  /** Answers the nonce in the broker's first words. */
  async #answer(text: string): Promise<void> {
    this.#hasAnswered = true;
    const info = parse(text);
    const nonce = isObject(info) ? info['nonce'] : undefined;
    if (!isNonce(nonce)) throw new Error('the server sent no nonce to sign, but something else');
    const { key, nkey, envelope } = this.#credential;
    const signature = await crypto.subtle.sign('Ed25519', key, utf8(nonce));
    const answer = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      protocol: 1,
      lang: 'kez',
      version: '1',
      name: NAME,
      nkey,
      sig: toBase64url(new Uint8Array(signature)),
      auth_token: envelope,
    };
    this.#socket.send(utf8(`CONNECT ${JSON.stringify(answer)}\r\nPING\r\n`));
  }

  #reply({ subject, headers, data }: Said & { op: 'message' }): void {
    const awaited = this.#awaited;
    // An answer to an earlier question, on its way while the next one was asked.
    if (subject !== awaited?.subject) return;
    this.#awaited = undefined;
    const read = headers ? readHeaders(headers) : new Map<string, string>();
    if (read.get('Status') === '503') awaited.reject(new Error('nobody answers'));
    else awaited.resolve({ headers: { get: (name) => read.get(name) ?? '' }, data });
  }

  #end(why: unknown): void {
    this.#isShutOut(why);
    this.#awaited?.reject(why);
    this.#awaited = undefined;
    this.#socket.close();
  }
}
