import { expect, test, vi } from 'vitest';
import { ByteReader, ByteWriter, RunEnd, encodeBundle } from '@canopy/protocol';
import { FakeIc, endedRuns, samplePlan, workerIds } from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { CallFailure } from '../ic/ic.js';
import { submit } from './infer.js';

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);
const [head, last] = workerIds.map((id) => id.toText());

function idsIn(bytes: Uint8Array): bigint[] {
  const input = new ByteReader(bytes, 'ids');
  expect(input.u64()).toBe(1n);
  return Array.from({ length: bytes.length / 8 - 1 }, () => input.u64());
}

/** A coordinator whose workers hold what `held` says, and the ids that each was told to release. */
function setUp(resultsStay = false) {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = { ...samplePlan(), resultsStay };
  coordinator.models.add({
    name: 'm',
    plan,
    planText: JSON.stringify(plan),
    workers: workerIds,
    epoch: 1n,
  });
  const held: Record<string, bigint[]> = { [head!]: [], [last!]: [] };
  const released: Record<string, bigint[]> = { [head!]: [], [last!]: [] };
  let nextId = 1n;
  ic.onCall = (method, bytes, canister) => {
    const out = new ByteWriter();
    if (method === 'enqueue') return out.u64(nextId++).finish();
    if (method === 'held') for (const id of held[canister]!) out.u64(id);
    if (method === 'release') {
      const ids = idsIn(bytes);
      released[canister]!.push(...ids);
      const parts = ids.map((id) =>
        endedRuns([id], { end: held[canister]!.includes(id) ? RunEnd.done : RunEnd.unknown }),
      );
      return new Uint8Array(Buffer.concat(parts));
    }
    return out.finish();
  };
  return { ic, coordinator, held, released };
}

test('a result that no ticket stands for is released after two looks, and logged', async () => {
  const { ic, coordinator, held, released } = setUp();
  const { ticket } = await submit(coordinator, 'm', inputs);
  held[head!] = [1n, 7n];
  await coordinator.orphans.look();
  expect(released[head!]).toEqual([]);
  await coordinator.orphans.look();
  expect(released[head!]).toEqual([7n]);
  expect(ic.logged).toEqual(['1 results that no ticket stands for are released']);
  expect(coordinator.tickets.find(ticket)).toBeDefined();
  expect(ic.calls.map(({ canister, method }) => [canister, method])).not.toContainEqual([
    last,
    'held',
  ]);
});

test('one that comes to be known between two looks stays', async () => {
  const { coordinator, held, released } = setUp();
  held[head!] = [1n];
  await coordinator.orphans.look();
  await submit(coordinator, 'm', inputs);
  await coordinator.orphans.look();
  expect(released[head!]).toEqual([]);
});

test('where results stay both the last stage and the head are asked', async () => {
  const { coordinator, held, released } = setUp(true);
  held[last!] = [5n];
  held[head!] = [6n];
  for (let looks = 0; looks < 2; looks++) await coordinator.orphans.look();
  coordinator.releases.tell();
  await vi.waitFor(() => {
    expect(released).toEqual({ [last!]: [5n, 6n], [head!]: [6n] });
  });
});

test('workers that do not answer, or are of an earlier version, are passed over', async () => {
  const { ic, coordinator } = setUp();
  ic.onCall = () => {
    throw new CallFailure(5, "Canister has no update method 'held'");
  };
  for (let looks = 0; looks < 2; looks++) await coordinator.orphans.look();
  expect(ic.logged).toEqual([]);
});

test('it is looked while there are requests or results, and then no more', async () => {
  const { ic, coordinator, held } = setUp();
  const passed = async (): Promise<void> => {
    ic.time += 600_000_000_000n;
    for (const run of ic.timers.splice(0)) run();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await submit(coordinator, 'm', inputs);
  held[head!] = [1n];
  await passed();
  await passed();
  expect(ic.timers).toHaveLength(1);
  held[head!] = [];
  await passed();
  expect(ic.timers).toEqual([]);
  coordinator.orphans.watch();
  expect(ic.timers).toHaveLength(1);
});
