// The channels in which an account can say whose it is: how its name is typed, and where its proof is put (protocol, 7).
import { parseIdentifier, split } from '../crypto/identifier.ts';
import { codeOf } from './refusal.ts';

export const CHANNELS = ['github', 'dns', 'web', 'bluesky', 'ap', 'nostr'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The identifier of an account as a person types or pastes it, or the code of what is wrong with it. */
export function subjectOf(channel: Channel, account: string): { subject: string } | { code: string } {
  try {
    const name = tidied(channel, account.trim().replace(/^@/, ''));
    const isNamed = name !== '' && (channel !== 'dns' || name.includes('.'));
    return isNamed ? { subject: parseIdentifier(`${channel}:${name}`) } : { code: 'malformed' };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

/** Where the claim of an account is looked for. */
export function placeOf(subject: string): string {
  const { system, name } = split(subject);
  switch (system) {
    case 'dns':
      return `_kez.${name}`;
    case 'web':
      return `${name.replace(/\/+$/, '')}/.well-known/kez.json`;
    case 'github':
      return 'https://gist.github.com';
    case 'bluesky':
      return `https://bsky.app/profile/${name}`;
    default:
      return name;
  }
}

/** Addresses of profiles, pasted whole, become the names in them. */
function tidied(channel: Channel, text: string): string {
  switch (channel) {
    case 'github':
      return (/^https?:\/\/github\.com\/([^/?#]+)/i.exec(text)?.[1] ?? text).toLowerCase();
    case 'dns':
      return text
        .replace(/^https?:\/\//i, '')
        .replace(/[/.]+$/, '')
        .toLowerCase();
    case 'web':
      return (/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`).replace(/\/+$/, '');
    case 'bluesky':
      return (/^https?:\/\/bsky\.app\/profile\/([^/?#]+)/i.exec(text)?.[1] ?? text).toLowerCase();
    case 'ap':
      return /^https?:\/\/([^/]+)\/@([^/?#@]+)$/i.exec(text)?.slice(1).reverse().join('@') ?? text;
    case 'nostr':
      return text.replace(/^nostr:/, '');
  }
}
