// Generated from shared/kez-contract by its test `typescript`: do not edit. What can be asked in Kez, as Rust has it.
import type { Json } from '../crypto/json.ts';

/** A signed or sealed document; it is parsed strictly, so that its JCS is that of the text that was signed. */
export type Document = Json;

/** A call of a person: `<subject>.<primary>.<device>` (64 hex digits each), its request and its reply. */
export interface Rpc<Request, Reply> {
  readonly subject: string;
  readonly types?: (request: Request) => Reply;
}

// Calls to the registry service
export const REGISTER: Rpc<Register, Registered> = { subject: 'kez.rpc.registry.register' };
export const LOOKUP: Rpc<ByHandle, Record> = { subject: 'kez.rpc.registry.lookup' };
export const BY_PRIMARY: Rpc<ByPrimary, Record> = { subject: 'kez.rpc.registry.by-primary' };
export const AVAILABLE: Rpc<ByHandle, Availability> = { subject: 'kez.rpc.registry.available' };
export const PROFILE: Rpc<ByHandle, Profile> = { subject: 'kez.rpc.registry.profile' };
export const PUT_PROFILE: Rpc<PutProfile, Profile> = { subject: 'kez.rpc.registry.put-profile' };
export const PUT_PROOFS: Rpc<PutProofs, Record> = { subject: 'kez.rpc.registry.put-proofs' };

// Calls to the inbox service
export const SEND: Rpc<Send, Sent> = { subject: 'kez.rpc.inbox.send' };
export const FETCH: Rpc<Fetch, Page> = { subject: 'kez.rpc.inbox.fetch' };
export const ACK: Rpc<Ack, Acked> = { subject: 'kez.rpc.inbox.ack' };

// Calls to the sigchain service
export const APPEND: Rpc<Append, Appended> = { subject: 'kez.rpc.sigchain.append' };
export const HEAD: Rpc<OfPrimary, Head> = { subject: 'kez.rpc.sigchain.head' };
export const EVENTS: Rpc<Events, EventPage> = { subject: 'kez.rpc.sigchain.events' };
export const CLAIMANTS: Rpc<BySubject, Claimants> = { subject: 'kez.rpc.sigchain.claimants' };
export const VERIFY: Rpc<Verify, Verdict> = { subject: 'kez.rpc.sigchain.verify' };

// Calls to the push service
export const VAPID_KEY: Rpc<AskVapidKey, VapidKey> = { subject: 'kez.rpc.push.vapid-key' };
export const SUBSCRIBE: Rpc<Subscribe, Subscriptions> = { subject: 'kez.rpc.push.subscribe' };
export const UNSUBSCRIBE: Rpc<Unsubscribe, Subscriptions> = { subject: 'kez.rpc.push.unsubscribe' };
export const SUBSCRIPTIONS: Rpc<ListSubscriptions, Subscriptions> = { subject: 'kez.rpc.push.subscriptions' };
export const TEST: Rpc<Test, Tested> = { subject: 'kez.rpc.push.test' };

/** The answer to `GET /v1/config`. */
export interface ClientConfig {
  /** The domain after the `@`. */
  server: string;
  version: string;
  /** Where the broker takes WebSocket connections, the best first. A relative one is below the page's own origin. */
  nats: string[];
  /** The key that push messages are signed with; absent until the push service runs. */
  vapid_public_key: string | null;
  limits: Limits;
}

/** Limits that a client should know before it hits them. */
export interface Limits {
  /** Bytes of a sealed envelope's JSON text. */
  envelope_bytes: number;
  /** Messages a page. */
  page: number;
  /** Days that mail is kept. */
  retention_days: number;
  /** Sends a minute from one address, over HTTP. A message counts once for each 16 KiB that it begins. */
  http_sends_per_minute: number;
}

/** A refusal. Over HTTP it becomes a problem document (RFC 9457). */
export interface Problem {
  code: Code;
  /** What is wrong with this request, for people; never a secret, a key or another person's data. */
  detail: string;
  /** Seconds after which the same call may succeed. */
  retry_after?: number;
  /** The limit that was hit, in calls a minute. */
  limit_per_minute?: number;
  /** Where the sigchain now ends that an event did not fit onto. */
  current?: Head;
}

/** A signed `handle_registration` envelope (protocol, sections 3 and 4), at most `MAX_REGISTRATION`. A handle moves to another key when the sigchain of the one that has it ends with a `rotate` event that names that other key (section 6). */
export interface Register {
  envelope: Document;
}

/** The record that now stands; `created` is false when it stood already. */
export interface Registered {
  created: boolean;
  record: Record;
}

/** What anyone may know of a registered person. */
export interface Record {
  handle: string;
  /** `handle@server`. */
  fqhn: string;
  /** `ed25519:<64 hex>`. */
  primary: string;
  /** Where this person's sigchain is read over HTTP. */
  sigchain_url: string;
  /** RFC 3339, UTC, whole seconds. */
  registered_at: string;
  /** Subjects this person says are theirs: for discovery only, readers verify each. */
  proofs: string[];
}

/** A handle, with or without `@server`. */
export interface ByHandle {
  handle: string;
}

/** A primary, `ed25519:<64 hex>`. */
export interface ByPrimary {
  primary: string;
}

/** Whether a handle can be registered; if not, `reason` is the code that a registration would be refused with. */
export interface Availability {
  available: boolean;
  reason?: Code;
}

/** A signed `profile` envelope as its owner last put it. */
export interface Profile {
  envelope: Document;
}

/** A signed `profile` envelope of the caller's own, at most `MAX_PROFILE`. The latest `updated_at` wins. */
export interface PutProfile {
  envelope: Document;
}

/** The subjects that the caller says are theirs, each an identifier (protocol, section 1), at most `MAX_PROOFS`. */
export interface PutProofs {
  subjects: string[];
}

/** A sealed message for somebody, by handle (`alice`, `alice@server`) or primary (`ed25519:<hex>`). */
export interface Send {
  to: string;
  envelope: Document;
  /** Nobody who sleeps is woken for it: receipts, keys of pictures, copies for one's own devices. The server learns that it is one of those. It is stored and delivered like any other; of the same envelope sent again the first word counts. */
  silent?: boolean;
}

/** Stored and flushed. `id` is the transport id: hex SHA-256 of the envelope's canonical form. Sending the same envelope again answers the same and stores nothing. */
export interface Sent {
  id: string;
  seq: number;
}

/** What lies in the caller's mailbox after sequence `since` (0: from the oldest), at most `limit` messages (1 to 500). */
export interface Fetch {
  since: number;
  limit: number;
}

/** Messages in the order of their sequence. */
export interface Page {
  messages: Stored[];
  /** What to pass as `since` for the page after this one. */
  next: number;
  /** Whether there is more. */
  more: boolean;
}

/** One sealed message as it was stored. */
export interface Stored {
  /** Grows, with gaps: a mailbox shares its sequences with others. */
  seq: number;
  /** RFC 3339, UTC, whole seconds. */
  received_at: string;
  envelope: Document;
}

/** The caller's device has everything up to and including `seq`. */
export interface Ack {
  seq: number;
}

/** Where this device's cursor now stands, and up to where every device has everything, so that it is no longer kept. */
export interface Acked {
  cursor: number;
  purged: number;
}

/** A signed `sigchain_event` (protocol, section 6), at most `MAX_EVENT`. Over NATS it is the caller's own. */
export interface Append {
  event: Document;
}

/** Stored and flushed. `created` is false when this very event stood there already. */
export interface Appended extends Head {
  created: boolean;
}

/** The last event of a chain, or of a part of it. */
export interface Head {
  /** The event's number; the first one's is 0. */
  seq: number;
  /** `sha256:<hex>` of the event's envelope. */
  head: string;
}

/** Whose chain: `ed25519:<64 hex>` or `nostr:npub1…`. */
export interface OfPrimary {
  primary: string;
}

/** The events of a chain from number `since` on, at most `limit` of them (1 to `MAX_PAGE`). */
export interface Events {
  primary: string;
  since: number;
  limit: number;
}

/** Events in order, as they were stored: readers verify them. */
export interface EventPage {
  events: Document[];
  /** The last event of the whole chain, as the service has it; none while the chain is empty. */
  head: Head | null;
  /** Whether there is more after this page. */
  more: boolean;
}

/** Who claims `subject`, in the order of their primaries, after the primary `after`. */
export interface BySubject {
  subject: string;
  after?: string | null;
}

/** At most `MAX_CLAIMANTS` of them. */
export interface Claimants {
  claimants: Claimant[];
  more: boolean;
}

/** An identity whose chain claims the subject now, by this event. */
export interface Claimant {
  primary: string;
  event: Document;
}

/** Does the account `subject` say that it belongs to `primary`? An answer may be a day old unless a `fresh` one is asked for; also then, what an account said within a day is told where it cannot be reached now. */
export interface Verify {
  subject: string;
  primary: string;
  fresh?: boolean;
}

/** What a check of an account found. */
export interface Verdict {
  subject: string;
  primary: string;
  status: Status;
  /** Why it is not verified. */
  why?: Why;
  /** The same for people. */
  detail?: string;
  /** Where it was looked for, or found. */
  evidence: string;
  /** The claim that was found there, as its owner signed it. */
  claim?: Document;
  /** RFC 3339, UTC, whole seconds. */
  checked_at: string;
}

/** `failed` is the account's answer; `unreachable` is none. */
export type Status =
  | 'verified'
  | 'failed'
  | 'unreachable';

/** Why an account is not verified. */
export type Why =
  /** It holds no claim. */
  | 'absent'
  /** It holds something that begins as a claim and cannot be read. */
  | 'malformed'
  /** It holds a claim of another identity. */
  | 'wrong_primary'
  /** It holds a claim of another account. */
  | 'wrong_subject'
  /** The claim's signature does not verify. */
  | 'bad_signature'
  /** The claim has expired. */
  | 'expired'
  /** The identity's sigchain has taken the claim back. */
  | 'revoked'
  /** The account itself does not exist. */
  | 'no_such_account'
  /** No answer in time. */
  | 'timeout'
  /** The answer is larger than is read. */
  | 'too_large'
  /** No connection, an error, or an answer that cannot be understood. */
  | 'no_answer'
  /** The address is not a public one, or the answer leads to another host. */
  | 'forbidden'
  /** The channel asks to wait. */
  | 'rate_limited';

/** Asks which key pushes are signed with. */
export interface AskVapidKey {
}

/** The `applicationServerKey` of a subscription (RFC 8292, section 3.2): an uncompressed P-256 point, base64url without padding. */
export interface VapidKey {
  key: string;
}

/** A push subscription: `endpoint` and `keys` of what a browser's `PushSubscription.toJSON()` gives, or a UnifiedPush client. The caller's own from now on; the same endpoint again replaces its keys. At most `MAX_SUBSCRIPTIONS` a person. */
export interface Subscribe {
  /** `https`, on a public address, at most `MAX_ENDPOINT` bytes. */
  endpoint: string;
  keys: SubscriptionKeys;
}

/** What payloads would be encrypted to (RFC 8291): base64url without padding. Kept for the day when a push has one. */
export interface SubscriptionKeys {
  /** An uncompressed P-256 point: 65 bytes. */
  p256dh: string;
  /** 16 bytes. */
  auth: string;
}

/** Ends the subscription of this endpoint. Not an error when there is none. */
export interface Unsubscribe {
  endpoint: string;
}

/** Asks for the caller's subscriptions. */
export interface ListSubscriptions {
}

/** The caller's subscriptions that now stand, the oldest first. Who finds theirs missing subscribes again. */
export interface Subscriptions {
  subscriptions: Subscription[];
}

/** One of the caller's subscriptions. */
export interface Subscription {
  endpoint: string;
  /** RFC 3339, UTC, whole seconds. */
  created_at: string;
}

/** Asks for one push to the caller's own endpoint, now, though the caller is online. The answer takes as long as the push network does, up to ten seconds; six a minute. */
export interface Test {
  endpoint: string;
}

/** What the push network answered: whether it took the push, and its HTTP status, none if there was no answer. */
export interface Tested {
  accepted: boolean;
  status: number | null;
}

/** What the registry announces: `{"fact": "registered", "record", "envelope"}`, `{"fact": "rotated", "record", "envelope"}` or `{"fact": "profile", "updated_at"}`. Readers verify the envelope, not the sender; of a profile, which may be long and is of interest to few, they hear that there is another one and ask for it. `rotated` stands under the key that has lost its handle, and holds the registration of the successor, who has it now; that the two are one identity is said by the `rotate` event that ends the sigchain of the former. */
export type RegistryFact =
  | { fact: 'registered'; record: Record; envelope: Document; }
  | { fact: 'rotated'; record: Record; envelope: Document; }
  | { fact: 'profile'; updated_at: string; };

/** What is announced without being asked, and where replies come. Keys are 64 hex digits. */
export const subjects = {
  live: (primary: string) => `kez.live.${primary}`,
  registryFeed: (primary: string) => `kez.feed.registry.${primary}`,
  sigchainFeed: (system: string, name: string) => `kez.feed.sigchain.${system}.${name}`,
  everyFeed: 'kez.feed.>',
  inboxPrefix: (primary: string, device: string) => `_INBOX_${primary}_${device}`,
} as const;

/** The header of a refusal over NATS: a `Problem` as JSON. */
export const PROBLEM_HEADER = 'Kez-Problem';

/** The header that signs a request over HTTP (protocol, section 5). */
export const AUTH_HEADER = 'x-kez-auth';

/** The paths of the HTTP API. */
export const paths = {
  healthz: '/v1/healthz',
  readyz: '/v1/readyz',
  config: '/v1/config',
  openapi: '/v1/openapi.json',
  register: '/v1/register',
  user: (handle: string) => `/v1/u/${encodeURIComponent(handle)}`,
  byPrimary: (primary: string) => `/v1/by-primary/${encodeURIComponent(primary)}`,
  webfinger: '/.well-known/webfinger',
  profile: (handle: string) => `/v1/profile/${encodeURIComponent(handle)}`,
  proofs: (handle: string) => `/v1/profile/${encodeURIComponent(handle)}/proofs`,
  sigchain: (alg: string, key: string) => `/v1/sigchains/${encodeURIComponent(alg)}/${encodeURIComponent(key)}`,
  claims: '/v1/claims',
  verify: '/v1/verify',
  messages: '/v1/messages',
  inbox: (handle: string) => `/v1/inbox/${encodeURIComponent(handle)}`,
  inboxStream: (handle: string) => `/v1/inbox/${encodeURIComponent(handle)}/stream`,
  vapidKey: '/v1/push/vapid-public-key',
  pushSubscribe: (handle: string) => `/v1/push/subscribe/${encodeURIComponent(handle)}`,
  pushUnsubscribe: (handle: string) => `/v1/push/unsubscribe/${encodeURIComponent(handle)}`,
  pushSubscriptions: (handle: string) => `/v1/push/subscriptions/${encodeURIComponent(handle)}`,
  nats: '/v1/nats',
  metrics: '/metrics',
  error: (code: string) => `/errors/${encodeURIComponent(code)}`,
  landing: '/',
  landingStyle: '/landing.css',
} as const;

/** What each service holds its callers to. */
export const limits = {
  registry: {
    /** The largest registration envelope, in bytes of its JSON text. */
    maxRegistration: 8192,
    /** The largest profile envelope, in bytes of its JSON text. */
    maxProfile: 65536,
    /** The most subjects that a person may name as theirs. */
    maxProofs: 64,
  },
  inbox: {
    /** The largest sealed envelope, in bytes of its JSON text. */
    maxEnvelope: 262144,
    /** Limits on sends count a message once for each so many bytes that it begins, since it is kept on a disk. */
    sendUnit: 16384,
    /** The most messages that one page holds; a page also ends with the message that makes it reach `MAX_PAGE_BYTES`. */
    maxPage: 500,
    /** The bytes, as the store counts them, with which a page is long enough. One envelope more still fits into a reply. */
    maxPageBytes: 524288,
    /** How long mail is kept, in days. */
    retentionDays: 30,
    /** How long the HTTP stream of a mailbox may be resumed under one signature, in seconds. */
    streamLifetime: 3600,
  },
  sigchain: {
    /** The largest event, in bytes of its JSON text. */
    maxEvent: 16384,
    /** The most events that one page holds; a page also ends with the event that makes it reach `MAX_PAGE_BYTES`. */
    maxPage: 1000,
    /** The bytes with which a page is long enough. One event more still fits into a reply. */
    maxPageBytes: 524288,
    /** The most claimants that one page holds; it also ends with the event that makes it reach `MAX_PAGE_BYTES`. */
    maxClaimants: 100,
  },
  push: {
    /** The most subscriptions that a person may have. */
    maxSubscriptions: 16,
    /** The longest endpoint URL, in bytes. */
    maxEndpoint: 2048,
    /** The largest request of an HTTP client, in bytes of its JSON text. */
    maxPushRequest: 4096,
    /** Messages that come so soon after a push wake nobody a second time, in seconds. */
    collapseSeconds: 5,
  },
} as const;

/** Why a call is refused: each code with its HTTP status. */
export const codes = {
  /** The request is not what this call takes. */
  malformed: 400,
  /** The signed document is of another kind. */
  wrong_envelope: 400,
  /** This version of the document is not known here. */
  unsupported_version: 400,
  /** This kind of key cannot be used here. */
  unsupported_key: 400,
  /** A handle is 3 to 32 of a-z 0-9 _ -, the first a letter or digit. */
  invalid_handle: 400,
  /** This handle is reserved. */
  reserved_handle: 400,
  /** The document was signed for another server. */
  wrong_server: 400,
  /** This push subscription cannot be used here. */
  invalid_subscription: 400,
  /** The time in the document is too far from the server's clock. */
  stale_timestamp: 400,
  /** The document is signed by another key than it speaks for. */
  key_mismatch: 401,
  /** The signature does not verify. */
  bad_signature: 401,
  /** The request is not signed. */
  unauthorized: 401,
  /** The document has expired. */
  expired: 401,
  /** The device is not an active device of this person. */
  unknown_device: 401,
  /** Pages of this origin may not connect to this server. */
  forbidden_origin: 403,
  /** There is nothing here under that name. */
  not_found: 404,
  /** Nobody is registered under the name or key the message is for. */
  unknown_recipient: 404,
  /** This route does not take that method. */
  method_not_allowed: 405,
  /** The request did not arrive, or was not answered, in time. */
  request_timeout: 408,
  /** Somebody else has this handle. */
  handle_taken: 409,
  /** This key is registered under another handle. */
  primary_taken: 409,
  /** A newer one is stored. */
  outdated: 409,
  /** This key has been rotated: its identity has moved to a successor. */
  key_rotated: 409,
  /** This person has as many push subscriptions as one may have. */
  too_many_subscriptions: 409,
  /** The event's number is not the next one of the sigchain. */
  wrong_seq: 409,
  /** The event does not follow the last one of the sigchain. */
  wrong_prev: 409,
  /** Another event was appended at the same moment. */
  conflict: 409,
  /** The request is larger than this call takes. */
  too_large: 413,
  /** The document belongs to another identity. */
  wrong_primary: 422,
  /** The sigchain is closed: its identity has moved to a successor. */
  chain_closed: 422,
  /** The event is dated before the last one of the sigchain. */
  clock_backwards: 422,
  /** This is active in the sigchain already. */
  already_active: 422,
  /** This is not active in the sigchain. */
  not_active: 422,
  /** The key that is added has not agreed. */
  bad_proof: 422,
  /** This sigchain operation is unknown. */
  unknown_op: 422,
  /** Accounts of this system cannot be checked. */
  unsupported_subject: 422,
  /** Too many requests; try again later. */
  rate_limited: 429,
  /** Something failed on the server; it has been logged. */
  internal: 500,
  /** The service is not available right now. */
  unavailable: 503,
  /** The recipient's mailbox is full. */
  mailbox_full: 507,
} as const;

export type Code = keyof typeof codes;
