// The archive: messages and drafts of one account in one encrypted file, which `kez archive open` reads too.
//
//   kez-archive-1\n
//   {"cipher":"aes-256-gcm","kdf":{…},"nonce":"<base64url, 12 bytes>"}\n
//   <ciphertext, its 16-byte tag at the end>
//
// `kdf` is {"lanes":1,"memory_kib":65536,"name":"argon2id","passes":3,"salt":"<base64url, 16 bytes>"} or, where Argon2id cannot
// run, {"name":"pbkdf2-sha256","passes":600000,"salt":…}; either gives the 32 bytes of the AES key from the passphrase (UTF-8,
// NFKC). The additional data is the two lines, both line ends included. Inside is JSONL: an `archive` line, `message` and
// `draft` lines, each chat's messages oldest first, and an `end` line that counts them, so that a cut file shows.
import { concat, fromBase64url, fromUtf8, toBase64url, utf8, type Bytes } from '../crypto/bytes.ts';
import { formatTime, parseTime } from '../crypto/timestamp.ts';
import { readLines, type ArchiveContent, type ArchiveOwner } from './archive-lines.ts';
import { boxKey } from './box.ts';
import { StorageFault } from './fault.ts';
import type { KeptMessage } from './kept.ts';
import { normalised, type Derivation, type Derive } from './vault.ts';

const MAGIC = 'kez-archive-1\n';
/** A file that asks for more than this wants to freeze the page. */
const MOST = { memory: 1024 * 1024, passes: 10_000_000, argonPasses: 16 };

/** The lines of an archive, one after the other, so that no caller holds everything twice. */
export class ArchiveWriter {
  readonly #lines: string[] = [];
  #messages = 0;

  constructor({ primary, handle, server }: ArchiveOwner, now: number) {
    this.#line({ type: 'archive', version: 1, primary, handle, server, created_at: formatTime(now) });
  }

  message({ id, peer, isMine, at, text, body, status }: KeptMessage): void {
    const content = text === null ? { body: body ?? null } : { text };
    this.#line({
      type: 'message',
      id,
      peer,
      mine: isMine,
      sent_at: formatTime(at / 1000),
      ...content,
      status,
    });
    this.#messages++;
  }

  draft(peer: string, text: string): void {
    this.#line({ type: 'draft', peer, text });
  }

  async seal(passphrase: string, derivation: Derivation, derive: Derive): Promise<Bytes> {
    this.#line({ type: 'end', messages: this.#messages });
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const head = utf8(`${MAGIC}${JSON.stringify(headerOf(derivation, nonce))}\n`);
    const key = await keyOf(passphrase, derivation, derive);
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: head };
    const sealed = await crypto.subtle.encrypt(parameters, key, utf8(this.#lines.join('')));
    return concat(head, new Uint8Array(sealed));
  }

  #line(value: unknown): void {
    this.#lines.push(`${JSON.stringify(value)}\n`);
  }
}

/** What an archive holds; `malformed`, `unsupported_version`, or `wrong_passphrase` (which a changed file is too). */
export async function openArchive(file: Bytes, passphrase: string, derive: Derive): Promise<ArchiveContent> {
  const { head, derivation, nonce, sealed } = readHead(file);
  const key = await keyOf(passphrase, derivation, derive);
  let plaintext: ArrayBuffer;
  try {
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: head };
    plaintext = await crypto.subtle.decrypt(parameters, key, sealed);
  } catch (error) {
    throw new StorageFault('wrong_passphrase', { cause: error });
  }
  return malformedUnless(() => readLines(fromUtf8(new Uint8Array(plaintext)), parseTime));
}

function headerOf(derivation: Derivation, nonce: Bytes) {
  const { name, passes, salt } = derivation;
  const common = { name, passes, salt: toBase64url(salt) };
  const kdf =
    derivation.name === 'argon2id'
      ? { ...common, lanes: derivation.lanes, memory_kib: derivation.memory }
      : common;
  return { cipher: 'aes-256-gcm', kdf, nonce: toBase64url(nonce) };
}

function readHead(file: Bytes) {
  const start = fromUtf8Loosely(file.subarray(0, 4096));
  if (!start.startsWith('kez-archive-')) throw new StorageFault('malformed');
  if (!start.startsWith(MAGIC)) throw new StorageFault('unsupported_version');
  const end = start.indexOf('\n', MAGIC.length);
  if (end < 0) throw new StorageFault('malformed');
  return malformedUnless(() => {
    const header = JSON.parse(start.slice(MAGIC.length, end)) as Header;
    if (header.cipher !== 'aes-256-gcm') throw new StorageFault('unsupported_version');
    return {
      head: file.slice(0, end + 1),
      derivation: readDerivation(header.kdf),
      nonce: fromBase64url(header.nonce),
      sealed: file.slice(end + 1),
    };
  });
}

/** As a file claims it: each member is looked at before it is used. */
interface Header {
  cipher: string;
  kdf: { name: string; passes: number; salt: string; lanes?: number; memory_kib?: number };
  nonce: string;
}

function readDerivation({
  name,
  passes,
  salt,
  lanes = 0,
  memory_kib: memory = 0,
}: Header['kdf']): Derivation {
  const isNumber = [passes, lanes, memory].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!isNumber || passes < 1) throw new StorageFault('malformed');
  if (name === 'pbkdf2-sha256' && passes <= MOST.passes) return { name, passes, salt: fromBase64url(salt) };
  const isBounded = passes <= MOST.argonPasses && memory <= MOST.memory && lanes >= 1 && lanes <= 16;
  if (name === 'argon2id' && isBounded) return { name, passes, memory, lanes, salt: fromBase64url(salt) };
  throw new StorageFault('unsupported_version');
}

async function keyOf(passphrase: string, derivation: Derivation, derive: Derive): Promise<CryptoKey> {
  const secret = await derive(normalised(passphrase), derivation);
  try {
    return await boxKey(secret);
  } finally {
    secret.fill(0);
  }
}

function malformedUnless<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof StorageFault) throw error;
    throw new StorageFault('malformed', { cause: error });
  }
}

/** The head is ASCII; what follows it is not text. */
function fromUtf8Loosely(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
