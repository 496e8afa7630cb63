import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  ByteWriter,
  decodeBundle,
  deploymentFingerprint,
  encodeBundle,
  maxMessageBytes,
  type CoordinatorErrorRecord,
  type InferenceRecord,
  type ModelPage,
  type RequestRecord,
} from '@canopy/protocol';
import { coordinatorWasmGz } from './index.js';
import { alice, bob, doneResult, failedResult, samplePlan } from './testing/fake-ic.js';
import { IcNetwork } from './testing/ic-network.js';
import { readyStatus } from './testing/worker-status.js';
import { scriptedWorker } from './testing/scripted-worker.js';

const network = new IcNetwork();
let coordinator: Principal;
let workers: Principal[];
const planText = JSON.stringify(samplePlan());

type InferReply =
  { ok: InferenceRecord<Principal> } | { ticket: bigint } | { err: CoordinatorErrorRecord };

function call(sender: Principal, name: string, ...args: unknown[]): unknown {
  return network.call(sender, coordinator, name, args);
}

function status(stage: number): Uint8Array {
  return readyStatus(samplePlan(), stage, coordinator, workers);
}

function script(name: string, bytes: Uint8Array, stage = 0): void {
  network.update(alice, workers[stage], `script ${name}`, bytes);
}

function inputs(rows: number): Uint8Array {
  return encodeBundle([
    { name: 'x', dtype: 'float32', dims: [rows, 2], data: new Uint8Array(rows * 8).fill(1) },
    { name: 'mask', dtype: 'int64', dims: [rows], data: new Uint8Array(rows * 8) },
  ]);
}

/** What the head answers for `rows` rows in micro-batches of two: each filled with its first row. */
function answer(rows: number): Uint8Array {
  const bundles: Uint8Array[] = [];
  for (let start = 0; start < rows; start += 2) {
    const count = Math.min(2, rows - start);
    const data = new Uint8Array(count * 8).fill(start);
    bundles.push(encodeBundle([{ name: '', dtype: 'float32', dims: [count, 2], data }]));
  }
  return doneResult(7n, bundles);
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
  for (const stage of [0, 1]) script('status', status(stage), stage);
  const model = { name: 'm', plan: planText, workers };
  expect(call(alice, 'register_model', model)).toEqual({ ok: null });
});

describe('the coordinator as a canister', () => {
  test('shows its models', () => {
    const page = call(bob, 'models', []) as ModelPage;
    expect(page.next).toEqual([]);
    expect(page.models).toEqual([
      {
        name: 'm',
        inputs: [
          { name: 'x', dtype: 'float32', dims: [{ open: 'batch' }, { size: 2 }] },
          { name: 'mask', dtype: 'int64', dims: [{ open: 'batch' }] },
        ],
        outputs: [{ name: 'y', dtype: 'float32', dims: [{ open: 'batch' }, { size: 2 }] }],
        rows_independent: true,
        micro_batch_rows: 2,
        results: ['y'],
        stages: 2,
        instructions_per_row: 0n,
        input_bytes: maxMessageBytes,
        deployment: deploymentFingerprint(
          samplePlan(),
          workers.map((worker) => worker.toUint8Array()),
        ),
        problem: [],
      },
    ]);
  });

  test('shows whole plans to operators', () => {
    const { ok } = call(alice, 'plan', 'm', 0) as { ok: { text: string; total: number } };
    expect(ok.text.length).toBe(ok.total);
    expect(JSON.parse(ok.text)).toEqual({
      workers: workers.map((worker) => worker.toText()),
      plan: samplePlan(),
    });
    expect(call(alice, 'plan', 'm', 9)).toEqual({
      ok: { text: ok.text.slice(9), total: ok.total },
    });
    expect(call(alice, 'plan', 'm', ok.total + 1)).toMatchObject({ err: { code: 'bad-input' } });
    expect(call(alice, 'plan', 'n', 0)).toMatchObject({ err: { code: 'unknown-model' } });
    expect(call(bob, 'plan', 'm', 0)).toMatchObject({ err: { code: 'not-authorised' } });
  });

  test('registers for controllers only, and each name once', () => {
    const model = { name: 'm', plan: planText, workers };
    expect(call(bob, 'register_model', model)).toMatchObject({ err: { code: 'not-authorised' } });
    expect(call(alice, 'register_model', model)).toMatchObject({ err: { code: 'model-exists' } });
    script('status', status(0), 1);
    const other = { ...model, name: 'other' };
    expect(call(alice, 'register_model', other)).toMatchObject({ err: { code: 'bad-shard' } });
    script('status', status(1), 1);
  });

  test('infers: rows in order, stages added up', () => {
    script('enqueue', answer(5));
    const reply = call(bob, 'infer', 'm', inputs(5)) as InferReply;
    if (!('ok' in reply)) throw new Error(JSON.stringify(reply));
    const [y] = decodeBundle(Uint8Array.from(reply.ok.outputs));
    expect(y).toMatchObject({ name: 'y', dims: [5, 2] });
    expect([0, 16, 32].map((at) => y!.data[at])).toEqual([0, 2, 4]);
    expect(reply.ok).toMatchObject({ micro_batches: 3 });
    expect(reply.ok.stages).toMatchObject([
      { worker: workers[0], instructions: 3000n, messages: 3 },
      { worker: workers[1], instructions: 3003n, scratch_bytes: 30 },
    ]);
  });

  test('errors are answers, and the next request works', () => {
    const code = (...args: unknown[]): unknown => {
      const reply = call(bob, 'infer', ...args) as InferReply;
      return 'err' in reply ? reply.err.code : reply;
    };
    expect(code('nope', inputs(1))).toBe('unknown-model');
    expect(code('m', new Uint8Array(3))).toBe('bad-input');
    script('enqueue', failedResult(7n, 1, '[out-of-memory] too much'));
    expect(code('m', inputs(1))).toBe('out-of-memory');
    script('reject', new TextEncoder().encode('[busy] 512 requests wait'));
    expect(code('m', inputs(1))).toBe('busy');
    script('reject', new Uint8Array());
    script('enqueue', new Uint8Array(2));
    expect(code('m', inputs(1))).toBe('internal');
    script('enqueue', answer(1));
    expect(code('m', inputs(1))).toHaveProperty('ok');
  });

  test('what is no Candid is rejected, not trapped on', () => {
    for (const bytes of [[], [1, 2, 3], [0x44, 0x49, 0x44, 0x4c, 0, 1, 0x71, 0]]) {
      expect(() => network.update(bob, coordinator, 'infer', Uint8Array.from(bytes))).toThrow(
        'Canister rejected the message',
      );
      expect(call(bob, 'why_refused', 'infer', Uint8Array.from(bytes))).toMatchObject({
        err: { code: 'bad-message' },
      });
    }
  });

  test('a large result is fetched with its ticket, by query and by update', () => {
    script('enqueue', new ByteWriter().u32(2).u64(9n).u32(5_000_000).finish());
    const reply = call(bob, 'infer', 'm', inputs(1)) as InferReply;
    if (!('ticket' in reply)) throw new Error(JSON.stringify(reply));
    const pending = new ByteWriter().u32(0).u32(0).u32(3).u64(9n).u32(1).u32(4).finish();
    script('fetch', pending);
    expect(call(bob, 'fetch', reply.ticket, 0)).toEqual({ pending: { done: 1, total: 4 } });
    const part = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);
    script('fetch', new ByteWriter().u32(1).u32(1_000_000).bytes(part).finish());
    const expected = { part: { bytes: part, total: 1_000_000 } };
    expect(call(bob, 'fetch', reply.ticket, 5000)).toEqual(expected);
    expect(call(bob, 'fetch_update', reply.ticket, 5000)).toEqual(expected);
    expect(call(bob, 'release', reply.ticket)).toEqual({ ok: null });
    expect(call(bob, 'fetch', reply.ticket, 0)).toMatchObject({ err: { code: 'unknown-request' } });
  });

  test('a result that stays at the last stage is fetched there, also after an upgrade', () => {
    const large = { ...samplePlan(), resultsStay: true };
    for (const stage of [0, 1]) {
      script('status', readyStatus(large, stage, coordinator, workers), stage);
    }
    const plan = JSON.stringify(large);
    expect(call(alice, 'register_model', { name: 'large', plan, workers })).toEqual({ ok: null });
    script('enqueue', new ByteWriter().u32(2).u64(9n).u32(0).finish());
    const reply = call(bob, 'infer', 'large', inputs(1)) as InferReply;
    if (!('ticket' in reply)) throw new Error(JSON.stringify(reply));
    const pending = (done: number, total: number): Uint8Array =>
      new ByteWriter().u32(0).u32(0).u32(3).u64(9n).u32(done).u32(total).finish();
    script('fetch', pending(0, 0), 1);
    script('fetch', pending(1, 4), 0);
    expect(call(bob, 'fetch', reply.ticket, 0)).toEqual({ pending: { done: 1, total: 4 } });
    const whole = answer(1);
    script('fetch', new ByteWriter().u32(1).u32(whole.length).bytes(whole).finish(), 1);
    const expected = { part: { bytes: whole, total: whole.length } };
    for (const method of ['fetch', 'fetch_update', 'fetch']) {
      expect(call(bob, method, reply.ticket, 0)).toEqual(expected);
      if (method === 'fetch_update') network.install(alice, coordinator, coordinatorWasmGz(), true);
    }
    expect(call(bob, 'release', reply.ticket)).toEqual({ ok: null });
    expect(call(alice, 'unregister_model', 'large')).toEqual({ ok: null });
  });

  test('an upgrade keeps models, tickets and requests', () => {
    script('enqueue', new ByteWriter().u64(11n).finish());
    const { ok: ticket } = call(bob, 'submit', 'm', inputs(2)) as { ok: bigint };
    const before = call(alice, 'requests', 1000) as RequestRecord[];
    const metrics = call(alice, 'metrics');
    expect(before.map((record) => record.ticket)).toContain(ticket);

    network.install(alice, coordinator, coordinatorWasmGz(), true);

    expect(call(alice, 'requests', 1000)).toEqual(before);
    expect(call(alice, 'metrics')).toEqual(metrics);
    expect((call(bob, 'models', []) as ModelPage).models).toMatchObject([{ name: 'm' }]);
    script('fetch', new ByteWriter().u32(1).u32(2).u8(1).u8(2).finish());
    expect(call(bob, 'fetch', ticket, 0)).toHaveProperty('part');
    script('enqueue', answer(1));
    expect(call(bob, 'infer', 'm', inputs(1))).toHaveProperty('ok');
  });

  test('a request whose head is stopped waits, and is taken once it runs', () => {
    const id = IDL.encode(
      [IDL.Record({ canister_id: IDL.Principal })],
      [{ canister_id: workers[0] }],
    );
    network.update(alice, undefined, 'stop_canister', id);
    const { ticket } = call(bob, 'infer', 'm', inputs(1)) as { ticket: bigint };
    expect(call(bob, 'fetch', ticket, 0)).toEqual({ pending: { done: 0, total: 1 } });
    network.update(alice, undefined, 'start_canister', id);
    script('enqueue', new ByteWriter().u64(20n).finish());
    network.passSeconds(6);
    script('fetch', new ByteWriter().u32(1).u32(2).u8(1).u8(2).finish());
    expect(call(bob, 'fetch', ticket, 0)).toHaveProperty('part');
    expect(call(bob, 'release', ticket)).toEqual({ ok: null });
    script('enqueue', answer(1));
    expect(call(bob, 'infer', 'm', inputs(1))).toHaveProperty('ok');
  });

  test('a caller sees own requests, a controller all', () => {
    script('enqueue', answer(1));
    call(alice, 'infer', 'm', inputs(1));
    const callers = (sender: Principal): string[] => {
      const records = call(sender, 'requests', 1000) as RequestRecord<Principal>[];
      return [...new Set(records.map((record) => record.caller.toText()))];
    };
    expect(callers(bob)).toEqual([bob.toText()]);
    expect(callers(alice).sort()).toEqual([alice.toText(), bob.toText()].sort());
  });

  test('hands over requests of a round in two calls, whose tickets are fetched and released', () => {
    const answer = new ByteWriter().u32(3).u64(9n).u32(1).u32(4);
    for (const more of [5, 6, 7]) answer.u32(more);
    script('enqueue', answer.finish());
    let messages = 0;
    network.observe(
      workers[0]!,
      () => messages++,
      () => {
        const requests = Array.from({ length: 5 }, () =>
          network.send(bob, coordinator, 'infer', ['m', inputs(1)]),
        );
        const tickets = requests.map((finish) => (finish() as { ticket: bigint }).ticket);
        expect(new Set(tickets).size).toBe(5);
        expect(messages).toBe(2);
        const result = doneResult(9n, [encodeBundle([])]);
        script('fetch', new ByteWriter().u32(1).u32(result.length).bytes(result).finish());
        for (const ticket of tickets) {
          expect(call(bob, 'fetch', ticket, 0)).toMatchObject({ part: { total: result.length } });
          expect(call(bob, 'release', ticket)).toEqual({ ok: null });
        }
      },
    );
  });

  test('requests whose head is stopped wait, also through an upgrade, until it runs', () => {
    const id = IDL.encode(
      [IDL.Record({ canister_id: IDL.Principal })],
      [{ canister_id: workers[0] }],
    );
    network.update(alice, undefined, 'stop_canister', id);
    const requests = Array.from({ length: 4 }, () =>
      network.send(bob, coordinator, 'submit', ['m', inputs(1)]),
    );
    const tickets = requests.map((finish) => (finish() as { ok: bigint }).ok);
    const pending = { pending: { done: 0, total: 1 } };
    network.passSeconds(6);
    network.install(alice, coordinator, coordinatorWasmGz(), true);
    for (const ticket of tickets) expect(call(bob, 'fetch', ticket, 0)).toEqual(pending);
    network.update(alice, undefined, 'start_canister', id);
    const taken = new ByteWriter();
    for (const ticket of [21n, 22n, 23n, 24n]) taken.u64(ticket);
    script('enqueue', taken.finish());
    const result = doneResult(9n, [encodeBundle([])]);
    script('fetch', new ByteWriter().u32(1).u32(result.length).bytes(result).finish());
    network.passSeconds(6);
    for (const ticket of tickets) {
      expect(call(bob, 'fetch', ticket, 0)).toMatchObject({ part: { total: result.length } });
      expect(call(bob, 'release', ticket)).toEqual({ ok: null });
    }
  });

  test('lets nobody else hand over', () => {
    const nothing = IDL.encode([], []);
    for (const sender of [alice, bob]) {
      expect(() => network.update(sender, coordinator, 'hand_over', nothing)).toThrow(
        'rejected the message',
      );
    }
  });

  test('costs at most 12.25 M instructions a request and 0.8 M a further micro-batch', () => {
    const cost = (rows: number): number => {
      script('enqueue', answer(rows));
      return network.instructionsOf(coordinator, () => {
        expect(call(bob, 'infer', 'm', inputs(rows))).toHaveProperty('ok');
      });
    };
    // The first in ten seconds looks at the canister's cycles.
    cost(2);
    const one = cost(2);
    const eleven = cost(22);
    console.log(`coordinator: ${one} instructions for one micro-batch, ${eleven} for eleven`);
    expect(one).toBeLessThan(12_250_000);
    expect((eleven - one) / 10).toBeLessThan(800_000);
  });

  test('costs at most 11.6 M instructions to give a ticket, and to release it, read or not', () => {
    const result = answer(1);
    script('enqueue', new ByteWriter().u64(11n).finish());
    script('fetch', new ByteWriter().u32(1).u32(result.length).bytes(result).finish());
    let ticket = 0n;
    const submit = (): number =>
      network.instructionsOf(coordinator, () => {
        ticket = (call(bob, 'submit', 'm', inputs(2)) as { ok: bigint }).ok;
      });
    const release = (): number =>
      network.instructionsOf(coordinator, () => {
        expect(call(bob, 'release', ticket)).toEqual({ ok: null });
        network.ic.tick();
      });
    const submitted = submit();
    call(bob, 'fetch_update', ticket, 0);
    const released = release();
    submit();
    const releasedUnread = release();
    console.log(
      `coordinator: ${submitted} to submit, ${released} and ${releasedUnread} to release`,
    );
    expect(submitted).toBeLessThan(11_600_000);
    expect(released).toBeLessThan(11_500_000);
    expect(releasedUnread).toBeLessThan(11_500_000);
  });
});

/** A caller as long as those of keys, of bytes that are no ASCII. */
const carol = Principal.fromUint8Array(
  Uint8Array.from({ length: 29 }, (_, at) => (at * 37) | 0x80),
);

describe('a request with a number', () => {
  const number = (id: bigint, seconds: number[] = []): object[] => [
    { id, digest: 3n, deadline_seconds: seconds },
  ];

  test('costs at most 12.5 M instructions', () => {
    script('enqueue', answer(2));
    const cost = network.instructionsOf(coordinator, () => {
      expect(call(bob, 'infer', 'm', inputs(2), number(100n))).toHaveProperty('ok');
    });
    console.log(`coordinator: ${cost} instructions for a numbered request`);
    expect(cost).toBeLessThan(12_500_000);
  });

  test('gets its answer again instead of another run, also after an upgrade', () => {
    const whole = answer(3);
    script('enqueue', whole);
    const before = (call(alice, 'metrics') as { requests: bigint }).requests;
    expect(call(carol, 'infer', 'm', inputs(3), number(1n))).toHaveProperty('ok');
    const tickets: bigint[] = [];
    for (const upgrades of [false, true]) {
      if (upgrades) network.install(alice, coordinator, coordinatorWasmGz(), true);
      for (const method of ['infer', 'submit']) {
        const again = call(carol, method, 'm', inputs(3), number(1n)) as object;
        tickets.push(Object.values(again)[0] as bigint);
      }
      for (const method of ['fetch', 'fetch_update']) {
        expect(call(carol, method, tickets[0], 0)).toEqual({
          part: { bytes: whole, total: whole.length },
        });
      }
    }
    expect(new Set(tickets).size).toBe(1);
    const other = [{ id: 1n, digest: 4n, deadline_seconds: [] }];
    expect(call(carol, 'infer', 'm', inputs(3), other)).toMatchObject({
      err: { code: 'bad-input' },
    });
    expect(call(alice, 'fetch', tickets[0], 0)).toHaveProperty('part');
    expect(call(carol, 'release', tickets[0])).toEqual({ ok: null });
    expect(call(carol, 'infer', 'm', inputs(3), number(1n))).toMatchObject({
      err: { code: 'unknown-request', retryable: false },
    });
    expect((call(alice, 'metrics') as { requests: bigint }).requests).toBe(before + 1n);
  });

  test('may say how long it may take, or know nothing of that', () => {
    script('enqueue', answer(1));
    expect(call(bob, 'infer', 'm', inputs(1), number(101n, [60]))).toHaveProperty('ok');
    expect(call(bob, 'infer', 'm', inputs(1), number(102n, [0]))).toMatchObject({
      err: { code: 'bad-input' },
    });
    const earlier = IDL.Opt(IDL.Record({ id: IDL.Nat64, digest: IDL.Nat64 }));
    const types = [IDL.Text, IDL.Vec(IDL.Nat8), earlier];
    const arg = IDL.encode(types, ['m', inputs(1), [{ id: 103n, digest: 3n }]]);
    network.update(bob, coordinator, 'infer', arg);
    const ticket = call(bob, 'infer', 'm', inputs(1), number(103n));
    expect(ticket).toHaveProperty('ticket');
  });

  test('two at once run once', () => {
    script('enqueue', new ByteWriter().u64(11n).finish());
    const before = (call(alice, 'metrics') as { requests: bigint }).requests;
    const messages = [0, 1].map(() =>
      network.send(bob, coordinator, 'submit', ['m', inputs(1), number(2n)]),
    );
    const [first, second] = messages.map((finish) => finish());
    expect(first).toEqual(second);
    expect((call(alice, 'metrics') as { requests: bigint }).requests).toBe(before + 1n);
  });

  test('that was cancelled in advance is refused', () => {
    expect(call(bob, 'cancel', 3n)).toEqual({ ok: null });
    expect(call(bob, 'submit', 'm', inputs(1), number(3n))).toMatchObject({
      err: { code: 'cancelled', retryable: false },
    });
  });

  test('full stores outlive an upgrade', () => {
    const bundle = encodeBundle([
      { name: '', dtype: 'float32', dims: [1, 250_000], data: new Uint8Array(1_000_000).fill(9) },
    ]);
    const whole = doneResult(7n, [bundle]);
    script('enqueue', whole);
    for (let id = 10n; id < 16n; id++) call(bob, 'infer', 'm', inputs(1), number(id));
    for (let id = 1000n; id < 2000n; id++) network.send(bob, coordinator, 'cancel', [id]);
    const instructions = network.instructionsOf(coordinator, () => {
      network.install(alice, coordinator, coordinatorWasmGz(), true);
    });
    console.log(`coordinator: ${instructions} instructions for an upgrade with full stores`);
    const ticket = (id: bigint): unknown => call(bob, 'infer', 'm', inputs(1), number(id));
    const { ticket: last } = ticket(15n) as { ticket: bigint };
    const fetched = call(bob, 'fetch', last, 0) as { part: { bytes: Uint8Array; total: number } };
    expect(Buffer.from(fetched.part.bytes).equals(whole)).toBe(true);
    expect(ticket(10n)).toMatchObject({ err: { code: 'unknown-request' } });
  });
});

test('releases that were not told before an upgrade are told after it', () => {
  const id = IDL.encode(
    [IDL.Record({ canister_id: IDL.Principal })],
    [{ canister_id: workers[0] }],
  );
  script('enqueue', new ByteWriter().u64(11n).finish());
  const { ok } = call(bob, 'submit', 'm', inputs(1)) as { ok: bigint };
  network.update(alice, undefined, 'stop_canister', id);
  call(bob, 'release', ok);
  network.ic.tick();
  network.update(alice, undefined, 'start_canister', id);
  network.install(alice, coordinator, coordinatorWasmGz(), true);
  const calls = (action: () => void): number => network.instructionsOf(workers[0]!, action);
  expect(
    calls(() => {
      for (let round = 0; round < 3; round++) network.ic.tick();
    }),
  ).toBe(0);
  expect(
    calls(() => {
      network.passSeconds(11);
    }),
  ).toBeGreaterThan(0);
});
