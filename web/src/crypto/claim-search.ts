// Claims that stand anywhere in a longer text, such as a README or a profile.
import { COMPACT, decodeUnfenced, MAX_ENVELOPE_BYTES, MAX_TEXT_BYTES } from './claim-forms.ts';
import { Fault, type FaultCode } from './fault.ts';
import { closeFence, fenceStart, openFence } from './fence.ts';
import { endOfValue } from './json-end.ts';

/** The most claims that `findClaims` looks at in one text. */
export const MAX_FOUND = 64;

/** An object whose first member is an envelope's is meant to be one. */
const OBJECT = /\{\p{White_Space}*"(?:kez|payload|signature)"/u;

/** A claim's text, or why what is meant to be one is none: "there but broken" is told apart from "absent". */
export type FoundClaim = { envelope: string } | { fault: FaultCode };

/** Something that is meant to be a claim, and the text after it. */
interface Found {
  claim: FoundClaim;
  rest: string;
}

/** Every claim in a text, whatever stands around it, in their order: the first 64. */
export function findClaims(text: string): FoundClaim[] {
  const found: FoundClaim[] = [];
  let rest = text;
  while (found.length < MAX_FOUND) {
    const next = findNext(rest);
    if (!next) break;
    found.push(next.claim);
    rest = next.rest;
  }
  return found;
}

function findNext(text: string): Found | undefined {
  const compact = text.indexOf(COMPACT);
  const candidates = [
    { start: fenceStart(text) ?? -1, read: fenced },
    { start: compact, read: compactText },
    { start: OBJECT.exec(text)?.index ?? -1, read: object },
  ];
  const [first] = candidates.filter(({ start }) => start >= 0).sort((a, b) => a.start - b.start);
  return first?.read(text.slice(first.start));
}

function fenced(text: string): Found {
  const fence = openFence(text);
  const closed = fence && closeFence(fence);
  // A fence that nobody closes goes on to the end.
  return { claim: tryDecode(closed?.inside ?? fence?.rest ?? ''), rest: closed?.after ?? '' };
}

function compactText(text: string): Found {
  const [whole = COMPACT] = /^kez:z1:[A-Za-z0-9_-]*/.exec(text) ?? [];
  const claim: FoundClaim = whole.length <= MAX_TEXT_BYTES ? tryDecode(whole) : { fault: 'too_large' };
  return { claim, rest: text.slice(whole.length) };
}

function object(text: string): Found {
  // A character is a byte or more, so that what is too long in characters is too long in bytes.
  const near = text.slice(0, MAX_ENVELOPE_BYTES + 1);
  const end = endOfValue(near);
  if (typeof end === 'number') return { claim: tryDecode(text.slice(0, end)), rest: text.slice(end) };
  const isCut = near.length < text.length && end === 'cut';
  return { claim: { fault: isCut ? 'too_large' : 'malformed' }, rest: text.slice(1) };
}

function tryDecode(text: string): FoundClaim {
  try {
    return { envelope: decodeUnfenced(text) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code };
    throw error;
  }
}
