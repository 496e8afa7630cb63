/** Who may ask what of the coordinator, and what messages cost that it does not take. */
import { Principal } from '@dfinity/principal';
import { IDL } from '@dfinity/candid';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  ByteWriter,
  coordinatorIdl,
  encodeBundle,
  type AccessRecord,
  type Done,
  type ModelPage,
  type MyAccessRecord,
  type RequestRecord,
} from '@canopy/protocol';
import { serialOf } from './canister/access/handles.js';
import { coordinatorWasmGz } from './index.js';
import { alice, bob, doneResult, samplePlan } from './testing/fake-ic.js';
import { IcNetwork, isRefusal } from './testing/ic-network.js';
import { scriptedWorker } from './testing/scripted-worker.js';
import { readyStatus } from './testing/worker-status.js';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
const network = new IcNetwork();
const anonymous = Principal.anonymous();
const carol = Principal.fromUint8Array(new Uint8Array(29).fill(7));
let coordinator: Principal;
let workers: Principal[];

const call = (sender: Principal, name: string, ...args: unknown[]): unknown =>
  network.call(sender, coordinator, name, args);
const open: AccessRecord<Principal> = {
  owners: [],
  operators: [],
  callers: { open: null },
  anonymous: false,
  quota: { requests_a_day: [], instructions_a_day: [] },
};
const setAccess = (change: Partial<AccessRecord<Principal>>): Done =>
  call(alice, 'set_access', { ...open, ...change }) as Done;

function inputs(rows = 1): Uint8Array {
  return encodeBundle([
    { name: 'x', dtype: 'float32', dims: [rows, 2], data: new Uint8Array(rows * 8) },
    { name: 'mask', dtype: 'int64', dims: [rows], data: new Uint8Array(rows * 8) },
  ]);
}

/** Each stage is predicted to take 500 instructions a row. */
const plan = samplePlan();
for (const stage of plan.stages) {
  const none = {
    pageInstructions: 0,
    messages: 1,
    bytesReceived: 0,
    bytesSent: 0,
    scratchBytes: 0,
  };
  Object.assign(stage, { predictions: [{ rows: 2, instructions: 1000, ...none }] });
}

/** Each stage takes 1,000 instructions for it, and one more. */
function headGivesResults(): void {
  const y = { name: '', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) } as const;
  network.update(alice, workers[0], 'script enqueue', doneResult(9n, [encodeBundle([y])]));
}
/** What a head answers to requests that do not wait. */
function headGivesNumbers(): void {
  network.update(alice, workers[0], 'script enqueue', new ByteWriter().u64(9n).finish());
}

beforeAll(async () => {
  coordinator = network.create(alice);
  network.install(alice, coordinator, coordinatorWasmGz());
  const module = await scriptedWorker();
  workers = [0, 1].map(() => {
    const worker = network.create(alice);
    network.install(alice, worker, module);
    return worker;
  });
  workers.forEach((worker, stage) => {
    network.update(alice, worker, 'script status', readyStatus(plan, stage, coordinator, workers));
  });
  headGivesResults();
  const model = { name: 'm', plan: JSON.stringify(plan), workers };
  expect(call(alice, 'register_model', model)).toEqual({ ok: null });
});

describe('callers', () => {
  test('are everybody but the anonymous principal at first', () => {
    expect(call(bob, 'infer', 'm', inputs())).toHaveProperty('ok');
    expect(call(anonymous, 'infer', 'm', inputs())).toMatchObject({
      err: {
        code: 'not-authorised',
        message: expect.stringContaining('anonymous callers') as string,
      },
    });
    expect(() => call(anonymous, 'models', [])).toThrow('[not-authorised]');
  });

  test('are those listed, where there is a list; what they hold stays theirs', () => {
    headGivesNumbers();
    const { ok: ticket } = call(carol, 'submit', 'm', inputs()) as { ok: bigint };
    headGivesResults();
    expect(setAccess({ callers: { list: [{ caller: bob, quota: [] }] } })).toEqual({ ok: null });
    expect(call(bob, 'infer', 'm', inputs())).toHaveProperty('ok');
    expect(call(carol, 'infer', 'm', inputs())).toMatchObject({ err: { code: 'not-authorised' } });
    expect(call(alice, 'infer', 'm', inputs())).toHaveProperty('ok');
    expect(call(carol, 'requests', 9, [])).toHaveLength(1);
    expect(call(carol, 'release', ticket)).toEqual({ ok: null });
  });

  test('have no more than their quota a day, and owners none', () => {
    const quota = { requests_a_day: [2n] as [bigint], instructions_a_day: [] as [] };
    const own = { requests_a_day: [] as [], instructions_a_day: [3500n] as [bigint] };
    const list = [
      { caller: bob, quota: [] as [] },
      { caller: carol, quota: [own] as [typeof own] },
    ];
    setAccess({ callers: { list }, quota });
    const today = (who: Principal): MyAccessRecord => call(who, 'my_access') as MyAccessRecord;
    for (let count = 0; count < 2; count++) {
      expect(call(bob, 'infer', 'm', inputs())).toHaveProperty('ok');
    }
    expect(today(bob)).toMatchObject({ role: { caller: null }, quota, requests_today: 2n });
    const refused = { err: { code: 'quota', retryable: false } };
    expect(call(bob, 'infer', 'm', inputs())).toMatchObject(refused);
    expect(call(alice, 'infer', 'm', inputs())).toHaveProperty('ok');
    // Predicted to take 1,000; it took 2,001.
    expect(call(carol, 'infer', 'm', inputs())).toHaveProperty('ok');
    expect(today(carol).instructions_today).toBe(2001n);
    expect(call(carol, 'infer', 'm', inputs(2))).toMatchObject(refused);
    expect(call(carol, 'infer', 'm', inputs(1))).toHaveProperty('ok');
    network.install(alice, coordinator, coordinatorWasmGz(), true);
    expect(today(bob)).toMatchObject({ quota, requests_today: 2n });
    expect(call(bob, 'infer', 'm', inputs())).toMatchObject(refused);
    network.passSeconds(86_400);
    expect(today(bob).requests_today).toBe(0n);
    expect(call(bob, 'infer', 'm', inputs())).toHaveProperty('ok');
  });

  test('of whom a head takes no request have their quota back', () => {
    network.passSeconds(86_400);
    setAccess({ quota: { requests_a_day: [1n], instructions_a_day: [] } });
    network.update(alice, workers[0], 'script reject', new TextEncoder().encode('[busy] full'));
    expect(call(bob, 'infer', 'm', inputs())).toMatchObject({ err: { code: 'busy' } });
    network.update(alice, workers[0], 'script reject', new Uint8Array());
    expect(call(bob, 'infer', 'm', inputs())).toHaveProperty('ok');
    expect(call(bob, 'infer', 'm', inputs())).toMatchObject({ err: { code: 'quota' } });
  });
});

test('access that is wrong changes nothing', () => {
  setAccess({ operators: [carol] });
  const before = call(alice, 'access');
  for (const wrong of [
    { owners: [anonymous] },
    { operators: [bob, bob] },
    { callers: { list: [{ caller: anonymous, quota: [] as [] }] } },
    {
      owners: Array.from({ length: 101 }, (_, at) =>
        Principal.fromUint8Array(Uint8Array.of(at, 9)),
      ),
    },
  ]) {
    expect(setAccess(wrong)).toMatchObject({ err: { code: 'bad-input' } });
    expect(call(alice, 'access')).toEqual(before);
  }
  expect(call(carol, 'access')).toEqual(before);
});

test('the longest list of callers is taken, kept and shown', () => {
  const list = Array.from({ length: 1000 }, (_, at) => ({
    caller: Principal.fromUint8Array(
      Uint8Array.from({ length: 29 }, (_, byte) => ((at + 1) >> byte) & 255),
    ),
    quota: [{ requests_a_day: [5n], instructions_a_day: [] }] as [AccessRecord['quota']],
  }));
  const seen = new Set(list.map(({ caller }) => caller.toText()));
  const callers = { list: list.filter(({ caller }) => seen.delete(caller.toText())) };
  expect(callers.list.length).toBe(1000);
  expect(setAccess({ callers })).toEqual({ ok: null });
  network.install(alice, coordinator, coordinatorWasmGz(), true);
  expect((call(alice, 'access') as AccessRecord).callers).toEqual(callers);
  setAccess({});
});

describe('anonymous callers', () => {
  beforeAll(headGivesNumbers);

  test('share no tickets, results or log', () => {
    setAccess({ anonymous: true });
    const submit = (id: bigint): unknown =>
      call(anonymous, 'submit', 'm', inputs(), [{ id, digest: 1n, deadline_seconds: [] }]);
    const { ok: ticket } = submit(1n << 40n) as { ok: bigint };
    const { ok: other } = call(anonymous, 'submit', 'm', inputs()) as { ok: bigint };
    expect(ticket >> 64n).not.toBe(other >> 64n);
    for (const one of [ticket, other]) expect(one >> 64n).toBeGreaterThan(1n << 100n);
    const unknown = { err: { code: 'unknown-request' } };
    for (const guess of [serialOf(ticket), ticket + 1n, ticket ^ (1n << 64n)]) {
      for (const who of [anonymous, bob]) {
        expect(call(who, 'fetch', guess, 0)).toMatchObject(unknown);
        expect(call(who, 'release', guess)).toMatchObject(unknown);
      }
    }
    expect(call(bob, 'fetch', ticket, 0)).toMatchObject(unknown);
    expect(call(anonymous, 'requests', 100, [])).toEqual([]);
    const log = call(alice, 'requests', 2, []) as RequestRecord[];
    expect(log.map((entry) => entry.ticket)).toEqual([serialOf(other), serialOf(ticket)]);
    expect(submit(5n)).toMatchObject({ err: { code: 'bad-input' } });
    expect(submit(1n << 40n)).toEqual({ ok: ticket });
    expect(call(anonymous, 'release', ticket)).toEqual({ ok: null });
  });

  test('have tickets that outlive an upgrade, after which there is a new seed', () => {
    const submit = (): bigint => (call(anonymous, 'submit', 'm', inputs()) as { ok: bigint }).ok;
    const before = submit();
    network.install(alice, coordinator, coordinatorWasmGz(), true);
    const after = submit();
    expect(after >> 64n).not.toBe(before >> 64n);
    expect(call(anonymous, 'release', before)).toEqual({ ok: null });
  });
});

test('pages show all models, however many and large, and part of the log at a time', () => {
  const dims = Array.from({ length: 8 }, (_, at) => `${'d'.repeat(2_000)}${at}`);
  const large = { ...plan, inputs: [{ ...plan.inputs[0]!, dims }, plan.inputs[1]!] };
  const names = Array.from({ length: 9 }, (_, at) => `large ${at}`);
  for (const name of names) {
    const model = { name, plan: JSON.stringify(large), workers };
    expect(call(alice, 'register_model', model)).toEqual({ ok: null });
  }
  const pages: string[][] = [];
  for (let after: [] | [string] = []; ;) {
    const { models, next } = call(bob, 'models', after) as ModelPage;
    pages.push(models.map(({ name }) => name));
    if (next.length === 0) break;
    after = next;
  }
  expect(pages.length).toBeGreaterThan(1);
  expect(pages.flat()).toEqual([...names, 'm']);
  const tooLarge = {
    ...large,
    inputs: [{ ...plan.inputs[0]!, dims: [...dims, ...dims] }, plan.inputs[1]!],
  };
  const model = { name: 'too large', plan: JSON.stringify(tooLarge), workers };
  expect(call(alice, 'register_model', model)).toMatchObject({ err: { code: 'bad-input' } });
  for (const name of names) call(alice, 'unregister_model', name);
  const long = { ...plan, model: { ...plan.model, note: `${'e'.repeat(140_000)}🌳` } };
  const longest = { name: 'long', plan: JSON.stringify(long), workers };
  expect(call(alice, 'register_model', longest)).toEqual({ ok: null });
  let text = '';
  for (let total = 1; text.length < total;) {
    const { ok } = call(alice, 'plan', 'long', text.length) as {
      ok: { text: string; total: number };
    };
    ({ total } = ok);
    text += ok.text;
  }
  expect(text.endsWith(`"plan":${longest.plan}}`)).toBe(true);
  call(alice, 'unregister_model', 'long');
  const all = call(alice, 'requests', 256, []) as RequestRecord[];
  const [first, ...rest] = all;
  expect(call(alice, 'requests', 256, [first!.ticket])).toEqual(rest);
});

/** Messages of each kind; `CANOPY_FLOOD=1250` for 10,000 in all. */
const floodOfKind = Number(process.env.CANOPY_FLOOD ?? 12);

test('messages that are not taken cost nothing', () => {
  setAccess({ quota: { requests_a_day: [0n], instructions_a_day: [] }, callers: { open: null } });
  const size = 1_900_000;
  const junk = new Uint8Array(size).map((_, at) => (at * 31) & 0xff);
  const encode = (name: string, ...args: unknown[]): Uint8Array =>
    IDL.encode(service._fields.find(([key]) => key === name)![1].argTypes, args);
  const large = encodeBundle([
    { name: 'x', dtype: 'float32', dims: [size / 8, 2], data: new Uint8Array(size) },
  ]);
  const right = encode('infer', 'm', inputs(1), []);
  const floods: [string, Principal, string, Uint8Array][] = [
    ['an unknown method', bob, 'nothing', junk],
    ['anonymous', anonymous, 'infer', encode('infer', 'm', large, [])],
    ['no Candid', bob, 'infer', junk],
    ['another model', bob, 'submit', encode('submit', 'n', large, [])],
    ['inputs that are none', bob, 'submit', encode('submit', 'm', large, [])],
    ['a longer argument than there is', bob, 'release', junk],
    ['without the role', bob, 'register_model', junk],
    ['a used up quota', bob, 'infer', right],
  ];
  const cycles = (): bigint => network.ic.cyclesBalance(coordinator.toUint8Array());
  const before = cycles();
  for (const [what, sender, method, arg] of floods) {
    for (let count = 0; count < floodOfKind; count++) {
      let refused: unknown;
      try {
        network.submit(sender, coordinator, method, arg);
      } catch (error) {
        refused = error;
      }
      expect(isRefusal(refused), what).toBe(true);
    }
    expect(cycles(), what).toBe(before);
  }
  network.ic.tick();
  const idle = before - cycles();
  // One that is taken costs: the measure measures.
  call(alice, 'infer', 'm', inputs());
  expect(before - cycles()).toBeGreaterThan(idle + 5_000_000n);
  expect(idle).toBeLessThan(1_000_000n);
});
