import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sideBySide } from '../src/study/side-by-side.ts';
import { openTurns } from '../src/study/turns.ts';

test('two items are under way at once, in their order, after the first has made room', async () => {
  const events: string[] = [];
  let underWay = 0;
  let most = 0;
  await sideBySide({
    items: ['a', 'b', 'c', 'd'],
    atOnce: 2,
    async work(item, { isFirst, makeRoom }) {
      most = Math.max(most, ++underWay);
      events.push(`${item} begins`);
      await setTimeout(5);
      if (isFirst) events.push('room');
      makeRoom();
      await setTimeout(5);
      underWay--;
    },
    stop: () => events.push('stop'),
  });
  expect(most).toBe(2);
  expect(events).toEqual(['a begins', 'room', 'b begins', 'c begins', 'd begins']);
});

test('the first failure stops what is under way and is thrown when that has ended; nothing more is begun', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const stopping = new AbortController();
  const work = sideBySide({
    items: [0, 1, 2, 3],
    atOnce: 2,
    async work(item, { makeRoom }) {
      begun.push(item);
      makeRoom();
      await setTimeout(item === 1 ? 5 : 20);
      if (item === 1) throw new Error('full');
      ended.push(item);
      stopping.signal.throwIfAborted();
    },
    stop: (reason) => stopping.abort(reason),
  });
  await expect(work).rejects.toThrow('full');
  expect([begun, ended]).toEqual([[0, 1], [0]]);
});

test('without items there is nothing to do, and more room than items is no harm', async () => {
  const done: number[] = [];
  const work = async (item: number) => void done.push(item);
  await sideBySide({ items: [], atOnce: 2, work, stop: () => {} });
  await sideBySide({ items: [7], atOnce: 3, work, stop: () => {} });
  expect(done).toEqual([7]);
});

test('turns come one at a time in their order, after a failed one too', async () => {
  const turns = openTurns();
  const events: string[] = [];
  const ask = (name: string) => async () => {
    events.push(`${name} begins`);
    await setTimeout(2);
    events.push(`${name} ends`);
    if (name === 'b') throw new Error(name);
    return name;
  };
  const asked = ['a', 'b', 'c'].map((name) => turns.take(ask(name)));
  expect(await Promise.allSettled(asked)).toMatchObject([{ value: 'a' }, { reason: { message: 'b' } }, { value: 'c' }]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('the next question is under way before whoever got an answer goes on', async () => {
  const turns = openTurns();
  const events: string[] = [];
  const first = turns.take(async () => 'a').then(() => events.push('a is worked on'));
  const second = turns.take(async () => {
    for (let hop = 0; hop < 50; hop++) await Promise.resolve(); // as deep as a classifier may be
    events.push('b is asked');
  });
  await Promise.all([first, second]);
  expect(events).toEqual(['b is asked', 'a is worked on']);
});
