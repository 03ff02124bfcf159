// Words about accounts elsewhere, and of the way to connect one.
import { problems } from './problems.ts';

/** Why an account is not verified: what was found where the claim should be. */
const whys: Readonly<Record<string, string>> = {
  absent: 'The claim was not found there.',
  malformed: 'Something there begins as a claim and cannot be read.',
  wrong_primary: 'The claim there is of another identity.',
  wrong_subject: 'The claim there is of another account.',
  bad_signature: 'The signature of the claim does not hold.',
  expired: 'The claim has expired.',
  revoked: 'The claim was revoked.',
  no_such_account: 'There is no such account.',
  timeout: 'There was no answer in time.',
  too_large: 'What was answered is too long to be read.',
  no_answer: 'There was no answer that can be understood.',
};

export const claims = {
  why: (code: string) => whys[code] ?? problems[code] ?? code,
  title: 'Accounts',
  add: 'Connect an account',
  revoke: 'Revoke',
  revokeTitle: (account: string) => `Revoke ${account}?`,
  revokeText:
    'Your sigchain then says, for everybody and for ever, that this account is no longer yours. You can connect it again later.',
  check: 'Check again',
  checking: 'Checking…',
  evidence: 'Evidence',
  checked: (ago: string) => `Checked ${ago}`,
  since: (date: string) => `Claimed on ${date}`,
  statuses: {
    verified: 'Verified',
    failed: 'Not verified',
    unreachable: 'Not reachable',
    checking: 'Checking…',
    unchecked: 'Not checked yet',
  },
  syncs: {
    synced: '',
    adding: 'Being added to your sigchain…',
    revoking: 'Being revoked on your sigchain…',
    failed: 'Not on your sigchain.',
  },
  channels: {
    github: 'GitHub',
    dns: 'Domain',
    web: 'Website',
    bluesky: 'Bluesky',
    ap: 'Mastodon and others',
    nostr: 'Nostr',
    other: 'Other',
  },
} as const;

export const addClaim = {
  title: 'Connect an account',
  steps: ['Where', 'Account', 'Publish', 'Check'],
  channel: 'Where is the account?',
  channelHints: {
    github: 'A public gist, or the README of your profile',
    dns: 'A TXT record',
    web: 'A file on your server',
    bluesky: 'The description of a picture in a post',
    ap: 'Your profile on any server of the fediverse',
    nostr: 'Your profile or a note',
  },
  accounts: {
    github: { label: 'User name at GitHub', placeholder: 'octocat' },
    dns: { label: 'Domain', placeholder: 'example.org' },
    web: { label: 'Address of the website', placeholder: 'https://example.org' },
    bluesky: { label: 'Handle at Bluesky', placeholder: 'name.bsky.social' },
    ap: { label: 'Address in the fediverse', placeholder: 'name@social.example' },
    nostr: { label: 'Public key (npub)', placeholder: 'npub1…' },
  },
  example: (placeholder: string) => `For example ${placeholder}`,
  publish: 'Publish this claim',
  places: {
    github:
      'Make a public gist with a file kez.md that holds this, or put it into the README of your profile:',
    dns: 'Add a TXT record of this name:',
    web: 'Serve the JSON form at this address:',
    bluesky: 'Post a picture and give it this as its description (ALT); it is longer than a post may be:',
    ap: 'Put this into your profile’s text or one of its fields; of 500 characters it takes about 480:',
    nostr: 'Put the compact form into your profile’s about, or publish it as a note:',
  },
  forms: { compact: 'Compact', markdown: 'Markdown', json: 'JSON', txt: 'TXT record' },
  formsLabel: 'Form of the claim',
  signNote: 'The claim is signed on this device and put on your sigchain, where everybody can see it.',
  sign: 'Sign the claim',
  published: 'I have published it',
  check: 'Check',
  checkText: 'Now Kez looks at the account, as your friends will.',
  verified: 'It is there, and it is yours.',
  later: 'Later',
  notYet: 'Some places take a while to show what was published. You can check again at any time.',
  finish: 'To my accounts',
} as const;
