// Calls to the services: request and reply over NATS, typed by the contract, and refusals as they were meant.
import { isObject, MAX_DEPTH, parse, type Json, type JsonObject } from '../crypto/json.ts';
import { PROBLEM_HEADER, type Rpc } from './contract.ts';
import { Refusal } from './refusal.ts';

/** What a call waits for an answer, in milliseconds. */
const PATIENCE = 5_000;
/** Levels that a reply adds to the documents in it, which may have all that they are allowed, and are judged one by one. */
const AROUND = 8;

/** Text that stands in a request as it is: a document whose bytes must not change. */
export class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A request, in which documents are given as `Verbatim`. */
export type Given<Request> = { [Name in keyof Request]: Request[Name] | Verbatim };

/** An answer as it came. */
export interface Answered {
  headers?: { get(name: string): string } | undefined;
  data: Uint8Array;
}

/** What carries a call to the broker: the page's client, or the service worker's. */
export interface Requester {
  request(subject: string, text: string, options: { timeout: number }): Promise<Answered>;
}

export class Calls {
  readonly #client: () => Requester | undefined;
  readonly #who: string;

  /** `primary` and `device` are 64 hex digits; the broker lets nobody name others. */
  constructor(client: () => Requester | undefined, primary: string, device: string) {
    this.#client = client;
    this.#who = `${primary}.${device}`;
  }

  async call<Request extends object, Reply>(
    endpoint: Rpc<Request, Reply>,
    request: Given<Request>,
    timeout = PATIENCE,
  ): Promise<Reply> {
    const client = this.#client();
    if (!client) throw new Refusal('unavailable', 'there is no connection');
    let reply: Answered;
    try {
      reply = await client.request(`${endpoint.subject}.${this.#who}`, body(request), { timeout });
    } catch (error) {
      throw unanswered(error);
    }
    return read(reply) as Reply; // As the contract has it.
  }
}

/** The request's JSON text. */
export function body(request: object): string {
  const members = Object.entries(request)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${JSON.stringify(name)}:${value instanceof Verbatim ? value.text : JSON.stringify(value)}`,
    );
  return `{${members.join(',')}}`;
}

/** The reply in a message, read strictly, or the refusal in its headers. */
export function read(reply: Answered): Json {
  const problem = reply.headers?.get(PROBLEM_HEADER);
  if (problem) throw refusal(tryParse(problem));
  const code = reply.headers?.get('Nats-Service-Error');
  if (code) throw new Refusal(code);
  return readReply(reply.data);
}

/** A reply's text, read as strictly as the documents that it holds. */
export function readReply(data: Uint8Array): Json {
  try {
    return parse(data, MAX_DEPTH + AROUND);
  } catch {
    throw new Refusal('internal', 'the reply cannot be read');
  }
}

/** A problem, of which nothing is believed but what has the right form. */
export function refusal(problem: Json | undefined): Refusal {
  if (!isObject(problem) || typeof problem['code'] !== 'string') {
    return new Refusal('internal', 'the refusal cannot be read');
  }
  const [detail, retryAfter, current] = [problem['detail'], problem['retry_after'], problem['current']];
  return new Refusal(problem['code'], typeof detail === 'string' ? detail : '', {
    retryAfter: typeof retryAfter === 'number' ? retryAfter : undefined,
    current: isObject(current) ? head(current) : undefined,
  });
}

function head({ seq, head }: JsonObject): { seq: number; head: string } | undefined {
  return typeof seq === 'number' && typeof head === 'string' ? { seq, head } : undefined;
}

function tryParse(text: string): Json | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function unanswered(error: unknown): Refusal {
  const name = error instanceof Error ? error.name : '';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.name : '';
  if ([name, cause].includes('PermissionViolationError')) {
    return new Refusal('unauthorized', 'the server does not let this identity make this call');
  }
  if (name === 'InvalidArgumentError') return new Refusal('too_large', 'larger than the broker takes');
  return new Refusal('unavailable', name);
}
