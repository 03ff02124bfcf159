// The index over messages: found again after it was written, caught up with, and rebuilt when it is broken or gone.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { dataKeys } from './box.ts';
import { openDatabase } from './database.ts';
import type { KeptChat, KeptMessage } from './kept.ts';
import { Mailbox } from './mailbox.ts';
import { SearchIndex } from './search-index.ts';

const chat = (peer: string): KeptChat => ({
  peer,
  preview: '',
  lastId: null,
  lastIsMine: false,
  lastStatus: null,
  lastAt: 0,
  unread: 0,
  readPlace: 0,
});

const message = (number: number, text: string | null, peer = 'bob'): KeptMessage => ({
  id: number.toString(16).padStart(32, '0'),
  peer,
  place: 0,
  isMine: false,
  at: number,
  text,
  status: null,
});

async function mailbox(name: string): Promise<Mailbox> {
  const database = await openDatabase({ outdated: () => undefined }, name);
  return new Mailbox(database, 'me', await dataKeys(new Uint8Array(32).fill(1)));
}

async function opened(mail: Mailbox): Promise<SearchIndex> {
  const index = new SearchIndex(mail);
  await index.open(() => undefined);
  return index;
}

const found = (index: SearchIndex, query: string, peer?: string) =>
  index.find(query, peer, 10).map(({ id }) => Number.parseInt(id, 16));

test('words of any script are found, by all of them and by the beginning of the last', async () => {
  const mail = await mailbox('scripts');
  await mail.commit({
    chats: [chat('bob'), chat('carol')],
    add: [
      message(1, 'Grüße aus Zürich'),
      message(2, 'Встретимся завтра'),
      message(3, 'ZÜRICH is far', 'carol'),
      message(4, null),
      message(5, '日本 に 行く'),
    ],
  });
  const index = await opened(mail);
  expect([found(index, 'zür').sort(), found(index, 'zür', 'carol'), found(index, 'aus grüße')]).toEqual([
    [1, 3],
    [3],
    [1],
  ]);
  expect([
    found(index, 'встр'),
    found(index, '日本'),
    found(index, 'zürich nowhere'),
    found(index, ''),
  ]).toEqual([[2], [5], [], []]);
  index.remove([message(3, '').id]);
  expect(found(index, 'zür')).toEqual([1]);
});

test('is read again with what came since, and rebuilt when it is broken', async () => {
  const mail = await mailbox('again');
  await mail.commit({
    chats: [chat('bob')],
    add: Array.from({ length: 300 }, (_, at) => message(at, `number ${at}`)),
  });
  const first = await opened(mail);
  expect(found(first, '299')).toEqual([299]);
  expect(await mail.note('search')).toMatchObject({ version: 2 });
  await mail.commit({ add: [message(300, 'the last one')] });
  const progress: number[] = [];
  const second = new SearchIndex(mail);
  await second.open((done) => progress.push(done));
  expect([found(second, 'last'), progress]).toEqual([[300], [301]]);

  await mail.commit({ notes: { search: { version: 2, json: '{', places: [] } } });
  expect(found(await opened(mail), '17')).toContain(17);
});

test('what an archive puts before what was indexed is found, though nobody searched meanwhile', async () => {
  const mail = await mailbox('imported');
  const here = Array.from({ length: 250 }, (_, at) => message(1000 + at, `recent ${at}`));
  await mail.commit({ chats: [chat('bob')], add: here });
  await opened(mail);
  const brought = Array.from({ length: 50 }, (_, at) => message(at, `ancient ${at}`));
  await mail.replace('bob', [...brought, ...here]);
  const index = await opened(mail);
  expect([found(index, 'ancient 0'), found(index, 'recent 249')]).toEqual([[0], [1249]]);
  expect(index.find('ancient', undefined, 99)).toHaveLength(50);
});
