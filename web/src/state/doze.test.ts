// When a page that nobody looks at leaves, and when it stays.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Doze } from './doze.ts';

let [isWoken, said]: [boolean, string[]] = [true, []];

function doze(pointer: 'coarse' | 'fine'): Doze {
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: query === `(pointer: ${pointer})` }));
  return new Doze({
    isWoken: () => isWoken,
    leave: async () => void said.push('leave'),
    comeBack: () => said.push('back'),
  });
}

describe('a page that nobody looks at', () => {
  beforeEach(() => {
    [isWoken, said] = [true, []];
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('leaves on a phone after a moment, and is back when it is looked at', () => {
    const phone = doze('coarse');
    phone.hidden();
    vi.advanceTimersByTime(2_999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual(['leave']);
    phone.looked();
    phone.looked();
    expect(said).toEqual(['leave', 'back']);
  });

  test('stays for who only looked elsewhere for a second', () => {
    const phone = doze('coarse');
    phone.hidden();
    vi.advanceTimersByTime(1_000);
    phone.looked();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([]);
  });

  test('stays on a computer until the browser stops it', () => {
    const computer = doze('fine');
    computer.hidden();
    vi.advanceTimersByTime(60 * 60_000);
    expect(said).toEqual([]);
    computer.frozen();
    computer.frozen();
    expect(said).toEqual(['leave']);
  });

  test('stays where no push would wake it', () => {
    isWoken = false;
    const phone = doze('coarse');
    phone.hidden();
    vi.advanceTimersByTime(60_000);
    phone.frozen();
    phone.looked();
    expect(said).toEqual([]);
  });

  test('that was locked meanwhile does not come back', () => {
    const phone = doze('coarse');
    phone.frozen();
    phone.stop();
    phone.looked();
    expect(said).toEqual(['leave']);
  });
});
