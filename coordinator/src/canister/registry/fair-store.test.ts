import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairStore } from './fair-store.js';

interface Item {
  owner: string;
  weight: number;
}
const newStore = (limit: number): FairStore<number, Item> =>
  new FairStore<number, Item>(
    limit,
    ({ owner }) => owner,
    ({ weight }) => weight,
  );
const item = fc.record({
  owner: fc.constantFrom('a', 'b', 'c'),
  weight: fc.integer({ min: 1, max: 4 }),
});

test('who adds much pushes out only own values', () => {
  const store = newStore(10);
  store.add(0, { owner: 'quiet', weight: 1 });
  for (let key = 1; key < 100; key++) store.add(key, { owner: 'loud', weight: 1 });
  expect(store.keys()).toEqual([0, ...Array.from({ length: 9 }, (_, index) => 91 + index)]);
});

test('never holds more than the limit, and drops only of those who hold most', () => {
  const steps = fc.array(fc.record({ item, removes: fc.option(fc.nat(30)) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (all) => {
      const store = newStore(12);
      const held = (owner: string): number =>
        store
          .values()
          .filter((one) => one.owner === owner)
          .reduce((sum, { weight }) => sum + weight, 0);
      all.forEach(({ item: added, removes }, key) => {
        if (removes !== null) store.remove(removes);
        const before = store.keys();
        store.add(key, added);
        const sums = ['a', 'b', 'c'].map(held);
        expect(sums.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(12);
        // A third is everybody's: who holds no more than that loses nothing by what others add.
        for (const kept of before) {
          if (store.find(kept) === undefined)
            expect(Math.max(...sums)).toBeGreaterThanOrEqual(12 / 3 - 4);
        }
        expect(store.keys()).toEqual([...store.keys()].sort((one, other) => one - other));
      });
    }),
  );
});
