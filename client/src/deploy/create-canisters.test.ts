import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { FakeLedger } from '../testing/fake-ledger.js';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { deploy, type DeployOptions } from './deploy.js';
import { parseDeployment, type Deployment } from './manifest.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};
const trillion = 1_000_000_000_000n;
const cycles = { coordinator: 3n * trillion, stages: [trillion, 2n * trillion] };

function setUp() {
  const ledger = new FakeLedger(new FakeNetwork());
  const written: Deployment[] = [];
  const run = async (more: Partial<DeployOptions> = {}) =>
    deploy(await sampleModel(), {
      transport: ledger.transport,
      modules,
      cycles,
      cyclesLedger: true,
      retry: { attempts: 2, firstDelayMs: 1 },
      onManifest: (state) => {
        written.push(parseDeployment(JSON.stringify(state)));
      },
      ...more,
    });
  const other = Principal.fromUint8Array(Uint8Array.of(1, 2, 3)).toText();
  return { ledger, written, run, other };
}

describe('through the cycles ledger', () => {
  test('each canister is asked for once, all on one subnet, and noted before', async () => {
    const { ledger, written, run } = setUp();
    const deployment = await run();
    expect(ledger.orders.map(({ amount }) => amount)).toEqual([
      cycles.coordinator,
      ...cycles.stages,
    ]);
    expect(new Set(ledger.orders.map(({ subnet }) => subnet))).toEqual(new Set([ledger.subnet]));
    expect(written[0]).toMatchObject({ workers: [] });
    expect(written[0]!.creating).toBeUndefined();
    expect(written[1]!.creating).toMatchObject({ createdAt: String(ledger.orders[0]!.createdAt) });
    expect(deployment).not.toHaveProperty('creating');
    expect(deployment.subnet).toBe(ledger.subnet);
  });

  test('is the way of networks that are not one’s own', async () => {
    const { ledger } = setUp();
    ledger.network.isOwn = false;
    const transport = { ...ledger.transport, principal: () => Promise.resolve('aaaaa-aa') };
    await deploy(await sampleModel(), { transport, modules, cycles });
    expect(ledger.orders).toHaveLength(3);
    const unsaid = deploy(await sampleModel(), { transport, modules, name: 'other' });
    await expect(unsaid).rejects.toThrow('how many cycles');
  });

  test('too little in the account is told before anything is created', async () => {
    const { ledger, run } = setUp();
    ledger.balance = 6n * trillion;
    const attempt = run();
    await expect(attempt).rejects.toMatchObject({ code: 'no-cycles', retryable: false });
    await expect(attempt).rejects.toThrow('creating 3 canisters takes 6 T cycles');
    expect(ledger.orders).toEqual([]);
  });

  test('an order that is under way is waited for', async () => {
    const { ledger, run } = setUp();
    let busy = 3;
    ledger.answer = () =>
      busy-- > 0 ? { Err: { Duplicate: { duplicate_of: 4n, canister_id: [] } } } : undefined;
    await run();
    expect(ledger.orders).toHaveLength(6);
    expect(new Set(ledger.orders.map(({ createdAt }) => createdAt)).size).toBe(3);
  });

  test('a ledger whose clock is late is asked by its own time', async () => {
    const { ledger, run } = setUp();
    const ledgerTime = 1_000_000_000_000_000_000n;
    ledger.answer = ({ createdAt }) =>
      createdAt > ledgerTime * 2n
        ? undefined
        : createdAt > ledgerTime + 1_000_000n
          ? { Err: { CreatedInFuture: { ledger_time: ledgerTime } } }
          : undefined;
    await run();
    expect(ledger.orders).toHaveLength(6);
  });

  test('what failed is told, and forgotten', async () => {
    const { ledger, written, run } = setUp();
    const none = { fee_block: [], refund_block: [] };
    ledger.answer = () => ({ Err: { FailedToCreate: { ...none, error: 'subnet is full' } } });
    await expect(run()).rejects.toThrow('subnet is full; the cycles went back');
    expect(written.at(-1)!.creating).toBeUndefined();
    ledger.answer = () => undefined;
    expect(await run({ resume: written.at(-1)! })).toMatchObject({ ready: true });
  });

  test('what cannot be told is not guessed: the user names the canister, or says to create it', async () => {
    const { ledger, written, run, other } = setUp();
    ledger.answer = () => ({ Err: { TooOld: null } });
    await expect(run()).rejects.toThrow('cannot be told');
    const resume = written.at(-1)!;
    await expect(run({ resume: structuredClone(resume) })).rejects.toThrow('cannot be told');
    ledger.answer = ({ createdAt }) =>
      String(createdAt) === resume.creating!.createdAt ? { Err: { TooOld: null } } : undefined;
    const again = await run({ resume: structuredClone(resume), createAgain: true });
    expect(again.ready).toBe(true);

    const id = await ledger.network.createCanister({ cycles: 1n });
    const named = await run({ resume: structuredClone(resume), canisters: [id], name: 'named' });
    expect(named.coordinator).toBe(id);
    expect(named).not.toHaveProperty('creating');
    await expect(run({ canisters: [other] })).rejects.toThrow(`canister ${other}, named as`);
  });
});

describe('canisters that exist', () => {
  test('are taken in order; the others are created', async () => {
    const { ledger, run } = setUp();
    const canisters = [
      await ledger.network.createCanister({ cycles: 1n }),
      await ledger.network.createCanister({ cycles: 1n }),
    ];
    const deployment = await run({ canisters });
    expect([deployment.coordinator, deployment.workers[0]]).toEqual(canisters);
    expect(ledger.orders.map(({ amount }) => amount)).toEqual([cycles.stages[1]]);
    expect(await run({ canisters, resume: deployment })).toEqual(deployment);
  });

  test.each<[string, (network: FakeNetwork, id: string) => unknown]>([
    ['is not empty', (network, id) => network.installed.set(id, 'a game')],
    ['is managed by others', (network, id) => network.foreign.add(id)],
    ['is not there', (network, id) => network.workers.delete(id)],
  ])('one that %s is refused before anything is done', async (text, change) => {
    const { ledger, run } = setUp();
    const id = await ledger.network.createCanister({ cycles: 1n });
    change(ledger.network, id);
    await expect(run({ canisters: [id] })).rejects.toThrow(text);
    expect(ledger.orders).toEqual([]);
  });

  test('more than are needed are refused', async () => {
    const { ledger, run } = setUp();
    const canisters = await Promise.all(
      [1, 2, 3, 4].map(() => ledger.network.createCanister({ cycles: 1n })),
    );
    await expect(run({ canisters })).rejects.toThrow(`than are needed: ${canisters[3]!}`);
  });
});
