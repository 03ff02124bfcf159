// JSON as the protocol takes it: refused before it is canonicalised. `JSON.parse` lets too much pass (duplicate keys, 1.0,
// lone surrogates) and loses what it changed, so this reads the text itself.
import { fromUtf8 } from './bytes.ts';
import { Fault } from './fault.ts';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** Arrays and objects may stand inside each other this many levels deep. */
export const MAX_DEPTH = 64;

const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses strict JSON (protocol section 3): no duplicate keys, only integers within ±(2^53 − 1), no lone surrogates, no
 * byte-order mark, nothing after the value, at most 64 levels, valid UTF-8. Objects have no prototype, so that no member's
 * name means anything to JavaScript. `malformed` for everything else. `levels`: what holds documents is deeper than they are.
 */
export function parse(text: string | Uint8Array, levels = MAX_DEPTH): Json {
  const reader = new Reader(typeof text === 'string' ? text : fromUtf8(text));
  const value = reader.value(levels);
  reader.end();
  return value;
}

/** Whether this is an object, and no array. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(levels: number): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(levels - 1);
      case '[':
        return this.#array(levels - 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw new Fault('malformed');
  }

  #object(levels: number): JsonObject {
    const object = Object.create(null) as JsonObject;
    this.#open(levels);
    if (this.#takes('}')) return object;
    do {
      this.#space();
      const name = this.#string();
      if (name in object) throw new Fault('malformed');
      if (!this.#takes(':')) throw new Fault('malformed');
      object[name] = this.value(levels);
    } while (this.#takes(','));
    if (!this.#takes('}')) throw new Fault('malformed');
    return object;
  }

  #array(levels: number): Json[] {
    const array: Json[] = [];
    this.#open(levels);
    if (this.#takes(']')) return array;
    do array.push(this.value(levels));
    while (this.#takes(','));
    if (!this.#takes(']')) throw new Fault('malformed');
    return array;
  }

  #open(levels: number): void {
    if (levels < 0) throw new Fault('malformed');
    this.#at++;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw new Fault('malformed');
    let start = ++this.#at;
    let text = '';
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      // Not a number at the end of the text, which every comparison refuses.
      if (!(unit >= 0x20)) throw new Fault('malformed');
      if (unit === 0x22) break;
      if (unit !== 0x5c) {
        this.#at++;
        continue;
      }
      text += this.#text.slice(start, this.#at) + this.#escape();
      start = this.#at;
    }
    text += this.#text.slice(start, this.#at++);
    if (!text.isWellFormed()) throw new Fault('malformed');
    return text;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    if (letter !== 'u') {
      const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
      if (character === undefined) throw new Fault('malformed');
      return character;
    }
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Fault('malformed');
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): number {
    const grammar = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    grammar.lastIndex = this.#at;
    const found = grammar.exec(this.#text);
    if (!found) throw new Fault('malformed');
    const number = Number(found[0]);
    const isInteger = found[1] === undefined && found[2] === undefined && Number.isSafeInteger(number);
    if (!isInteger || Object.is(number, -0)) throw new Fault('malformed');
    this.#at = grammar.lastIndex;
    return number;
  }

  #word<Value extends Json>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw new Fault('malformed');
    this.#at += word.length;
    return value;
  }

  #takes(mark: string): boolean {
    this.#space();
    const isThere = this.#text[this.#at] === mark;
    if (isThere) this.#at++;
    return isThere;
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '.')) this.#at++;
  }
}
