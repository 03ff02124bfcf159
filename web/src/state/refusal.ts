// What a person can be told when something does not work: a code that texts.ts has words for.
export { Refusal, codeOf } from '../nats/refusal.ts';
