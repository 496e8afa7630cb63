import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import { beforeEach, expect, test } from 'vitest';
import { ByteWriter, encodeBundle, type BundleTensor, type RequestRecord } from '@canopy/protocol';
import { coordinatorWasmGz } from './index.js';
import { alice, bob, doneResult, samplePlan } from './testing/fake-ic.js';
import { IcNetwork } from './testing/ic-network.js';
import { readyStatus } from './testing/worker-status.js';
import { scriptedWorker } from './testing/scripted-worker.js';

let network: IcNetwork;
let coordinator: Principal;
let workers: Principal[];

function script(name: string, bytes: Uint8Array, stage = 0): void {
  network.update(alice, workers[stage], `script ${name}`, bytes);
}

beforeEach(async () => {
  network = new IcNetwork();
  coordinator = network.create(alice);
  network.install(alice, coordinator, coordinatorWasmGz());
  const module = await scriptedWorker();
  workers = [0, 1].map(() => network.create(alice));
  for (const [stage, worker] of workers.entries()) {
    network.install(alice, worker, module);
    script('status', readyStatus(samplePlan(), stage, coordinator, workers), stage);
  }
  const model = { name: 'm', plan: JSON.stringify(samplePlan()), workers };
  expect(network.call(alice, coordinator, 'register_model', [model])).toEqual({ ok: null });
});

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);
const output: BundleTensor = {
  name: '',
  dtype: 'float32',
  dims: [1, 2],
  data: new Uint8Array(8).fill(7),
};
const answers = {
  infer: doneResult(7n, [encodeBundle([output])]),
  submit: new ByteWriter().u64(11n).finish(),
};

function ask(method: 'infer' | 'submit'): () => unknown {
  script('enqueue', answers[method]);
  return network.send(bob, coordinator, method, ['m', inputs]);
}

function hold(isHeld: boolean): void {
  script('hold', new Uint8Array(isHeld ? 1 : 0));
}

/** Begins `stop_canister` or `start_canister` of the coordinator; what it gives waits for its end. */
function manage(method: string): () => Uint8Array {
  const id = IDL.Record({ canister_id: IDL.Principal });
  return network.submit(alice, undefined, method, IDL.encode([id], [{ canister_id: coordinator }]));
}

function upgrade(): void {
  network.install(alice, coordinator, coordinatorWasmGz(), true);
}
const refusal = '1 call to a worker is open: stop the coordinator first';

test.each(['infer', 'submit'] as const)(
  'an upgrade while a call is open is refused, and the answer of %s comes',
  (method) => {
    hold(true);
    const finish = ask(method);
    network.ic.tick();
    expect(upgrade).toThrow(refusal);
    hold(false);
    const reply = finish();
    expect(reply).toHaveProperty('ok');
    if (method === 'infer') {
      expect(reply).toHaveProperty('ok.outputs', encodeBundle([{ ...output, name: 'y' }]));
    }
    upgrade();
    expect(ask(method)()).toHaveProperty('ok');
  },
);

test('an upgrade succeeds once the coordinator is stopped, which waits for open calls', () => {
  hold(true);
  const finish = ask('infer');
  network.ic.tick();
  const stopped = manage('stop_canister');
  network.ic.tick();
  expect(upgrade).toThrow(refusal);
  hold(false);
  expect(finish()).toHaveProperty('ok');
  stopped();
  upgrade();
  manage('start_canister')();
  expect(ask('infer')()).toHaveProperty('ok');
});

const blob = IDL.Vec(IDL.Nat8);
const taken = IDL.Record({ id: blob });
const takeArgs = IDL.Record({ canister_id: IDL.Principal, replace_snapshot: IDL.Opt(blob) });
const loadArgs = IDL.Record({
  canister_id: IDL.Principal,
  snapshot_id: blob,
  sender_canister_version: IDL.Opt(IDL.Nat64),
});

test('a snapshot that holds open calls does not stand in the way of an upgrade, nor give tickets again', () => {
  hold(true);
  const finish = ask('submit');
  network.ic.tick();
  const take = IDL.encode([takeArgs], [{ canister_id: coordinator, replace_snapshot: [] }]);
  const reply = network.update(alice, undefined, 'take_canister_snapshot', take);
  const [{ id }] = IDL.decode([taken], reply) as unknown as [{ id: Uint8Array }];
  hold(false);
  const earlier = [finish(), ask('submit')()] as { ok: bigint }[];
  const load = { canister_id: coordinator, snapshot_id: id, sender_canister_version: [] };
  network.update(alice, undefined, 'load_canister_snapshot', IDL.encode([loadArgs], [load]));
  const later = ask('submit')() as { ok: bigint };
  expect(earlier.map(({ ok }) => ok)).not.toContain(later.ok);
  expect(upgrade).toThrow(refusal);
  manage('stop_canister')();
  upgrade();
  manage('start_canister')();
  expect(network.call(bob, coordinator, 'fetch', [earlier[0]!.ok, 0])).toHaveProperty('err');
  expect(ask('infer')()).toHaveProperty('ok');
});

test('a call whose call-back trapped is not open any more', () => {
  const { ok: ticket } = ask('submit')() as { ok: bigint };
  const part = new Uint8Array(1024 * 1024 - 8);
  script('fetch', new ByteWriter().u32(1).u32(part.length).bytes(part).finish());
  const fetched = (): unknown => network.call(bob, coordinator, 'fetch_update', [ticket, 0]);
  expect(fetched()).toHaveProperty('part');
  // Two of them fill the worker's reply, and do not fit into the coordinator's beside what it adds.
  script('twice', new Uint8Array(1));
  expect(fetched).toThrow('application payload size');
  script('twice', new Uint8Array());
  upgrade();
  expect(fetched()).toHaveProperty('part');
});

const settings = IDL.Record({ wasm_memory_limit: IDL.Opt(IDL.Nat) });
const updateArgs = IDL.Record({ canister_id: IDL.Principal, settings });

function limitMemory(bytes: bigint): void {
  const arg = { canister_id: coordinator, settings: { wasm_memory_limit: [bytes] } };
  network.update(alice, undefined, 'update_settings', IDL.encode([updateArgs], [arg]));
}

/** Requests whose end is not logged yet. */
function openRequests(): number {
  const records = network.call(alice, coordinator, 'requests', [10]) as RequestRecord<Principal>[];
  return records.filter(({ finished_at_ns }) => finished_at_ns.length === 0).length;
}

test('a timer that comes while the canister is over its memory limit is not lost', () => {
  const tickets = [ask('submit')(), ask('submit')()] as { ok: bigint }[];
  const released = tickets.map(({ ok }) => network.send(bob, coordinator, 'release', [ok]));
  for (const finish of released) finish();
  network.ic.tick();
  // Of the releases of a round the first is told at once, the next with a timer.
  expect(openRequests()).toBe(1);
  limitMemory(65_536n);
  for (let times = 0; times < 3; times++) network.passSeconds(11);
  expect(openRequests()).toBe(1);
  limitMemory(3n * 1024n ** 3n);
  network.passSeconds(11);
  for (let round = 0; round < 5; round++) network.ic.tick();
  expect(openRequests()).toBe(0);
});
