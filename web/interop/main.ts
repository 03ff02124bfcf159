// Answers a program that asks this client's cryptography: a question a line on standard input, its answer on standard output.
import { createInterface } from 'node:readline';
import { Fault } from '../src/crypto/fault.ts';
import { PhraseFault } from '../src/crypto/phrase.ts';
import { answers, type Question } from './answers.ts';

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Question))}\n`);
}

/** What was asked for, or why it was refused; a mistake of ours ends the program. */
async function answer({ ask, ...given }: Question): Promise<{ value: unknown } | { fault: string }> {
  const known = answers[ask];
  if (!known) throw new Error(`nobody answers ${ask}`);
  try {
    return { value: await known(given) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code };
    if (error instanceof PhraseFault) return { fault: error.message };
    throw error;
  }
}
