/** Every method of the coordinator, called by everybody, and with arguments that are none: from the table of methods. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ByteWriter,
  coordinatorIdl,
  coordinatorMethods,
  encodeBundle,
  roles,
  type Role,
} from '@canopy/protocol';
import { coordinatorWasmGz } from './index.js';
import { alice, doneResult, samplePlan } from './testing/fake-ic.js';
import { IcNetwork, isRefusal } from './testing/ic-network.js';
import { malformed } from './testing/malformed.js';
import { forward, forwardArgument, proxyCanister, readForwarded } from './testing/proxy.js';
import { scriptedWorker } from './testing/scripted-worker.js';
import { readyStatus } from './testing/worker-status.js';

type Name = keyof typeof coordinatorMethods;
const names = Object.keys(coordinatorMethods) as Name[];
const service = coordinatorIdl({ IDL }) as { _fields: [Name, IDL.FuncClass][] };
const typesOf = (name: Name): IDL.FuncClass => service._fields.find(([key]) => key === name)![1];

const network = new IcNetwork();
let coordinator: Principal;
let workers: Principal[];
/** Canisters of each role, and who has it from outside. */
const canisters = new Map<Role, Principal>();
const people = new Map<string, { principal: Principal; role: Role }>();
const person = (number: number): Principal =>
  Principal.fromUint8Array(Uint8Array.from({ length: 29 }, () => number));

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);

function access(): object {
  const listed = { caller: person(3), quota: [] };
  const quota = { requests_a_day: [1_000_000n], instructions_a_day: [] };
  const canister = canisters.get('caller');
  return {
    owners: [person(1), canisters.get('owner')!],
    operators: [person(2), canisters.get('operator')!],
    callers: { list: [listed, { caller: canister, quota: [] }] },
    anonymous: false,
    quota,
  };
}

/** Arguments of each method that are as they should be. */
function values(name: Name): unknown[] {
  const known: Record<Name, unknown[]> = {
    register_model: [{ name: 'n', plan: JSON.stringify(samplePlan()), workers: [workers[0]] }],
    unregister_model: ['nobody knows it'],
    plan: ['m', 0],
    models: [[]],
    infer: ['m', inputs, []],
    submit: ['m', inputs, [{ id: 1n << 40n, digest: 2n, deadline_seconds: [5] }]],
    fetch: [7n << 64n, 0],
    fetch_update: [7n << 64n, 0],
    release: [7n << 64n],
    cancel: [1n << 50n],
    hand_over: [],
    requests: [10, [3n]],
    metrics: [],
    access: [],
    set_access: [access()],
    my_access: [],
    why_refused: ['my_access', IDL.encode([], [])],
    http_request: [{ method: 'GET', url: '/metrics', headers: [['a', 'b']], body: [] }],
  };
  return known[name];
}
const argumentOf = (name: Name): Uint8Array => IDL.encode(typesOf(name).argTypes, values(name));

/** What a call came to: an answer, an error's code, or a text. */
function outcome(name: Name, reply: Uint8Array): string {
  const value = IDL.decode(typesOf(name).retTypes, reply)[0] as
    { err?: { code: string } } | undefined;
  return value?.err?.code ?? 'ok';
}
const codeOf = (text: string): string => /\[([a-z-]+)\]/.exec(text)?.[1] ?? text;

/** As a message from outside: a query, or an update call, which is inspected. */
function fromOutside(sender: Principal, name: Name, arg: Uint8Array, asQuery: boolean): string {
  try {
    if (asQuery) return outcome(name, network.query(sender, coordinator, name, arg));
    return outcome(name, network.update(sender, coordinator, name, arg));
  } catch (error) {
    if (!isRefusal(error)) return codeOf((error as Error).message);
    const why = IDL.encode(typesOf('why_refused').argTypes, [name, arg]);
    return `refused: ${fromOutside(sender, 'why_refused', why, true)}`;
  }
}

/** As a call of a canister, which is not inspected. */
function fromCanister(role: Role, name: Name, arg: Uint8Array): string {
  const told = forwardArgument(coordinator.toUint8Array(), name, arg);
  const answer = readForwarded(network.update(alice, canisters.get(role), forward, told));
  if ('reply' in answer) return outcome(name, answer.reply);
  if (answer.code === 5) throw new Error(`${name} trapped: ${answer.text}`);
  return codeOf(answer.text);
}

/** All that a controller sees of the coordinator but for its count of refusals. */
function state(): unknown {
  const shown = (name: string, ...args: unknown[]): unknown =>
    network.call(alice, coordinator, name, args);
  const { in_flight: inFlight } = shown('metrics') as { in_flight: number };
  return [shown('models', []), shown('requests', 256, []), shown('access'), inFlight];
}

beforeAll(async () => {
  coordinator = network.create(alice);
  network.install(alice, coordinator, coordinatorWasmGz());
  const [module, proxy] = [await scriptedWorker(), await proxyCanister()];
  const made = (wasm: Uint8Array): Principal => {
    const canister = network.create(alice);
    network.install(alice, canister, wasm);
    return canister;
  };
  workers = [made(module), made(module)];
  for (const role of roles) canisters.set(role, made(proxy));
  workers.forEach((worker, stage) => {
    const status = readyStatus(samplePlan(), stage, coordinator, workers);
    network.update(alice, worker, 'script status', status);
  });
  scriptEnqueue('submit');
  const model = { name: 'm', plan: JSON.stringify(samplePlan()), workers };
  expect(network.call(alice, coordinator, 'register_model', [model])).toEqual({ ok: null });
  giveRoles();
  expect(network.call(person(3), coordinator, 'submit', ['m', inputs])).toHaveProperty('ok');
  people.set('a controller', { principal: alice, role: 'owner' });
  people.set('an owner', { principal: person(1), role: 'owner' });
  people.set('an operator', { principal: person(2), role: 'operator' });
  people.set('a caller', { principal: person(3), role: 'caller' });
  people.set('a stranger', { principal: person(4), role: 'stranger' });
  people.set('anonymous', { principal: Principal.anonymous(), role: 'stranger' });
});

/** What the head answers: the id of a request that is submitted, the result of another. */
function scriptEnqueue(name: Name): void {
  const y = { name: '', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) } as const;
  const id = new ByteWriter().u64(9n).finish();
  const answer = name === 'submit' ? id : doneResult(9n, [encodeBundle([y])]);
  network.update(alice, workers[0], 'script enqueue', answer);
}

function giveRoles(): void {
  expect(network.call(alice, coordinator, 'set_access', [access()])).toEqual({ ok: null });
}
beforeEach(giveRoles);

/** Of 18 methods these are more than 1,000. */
const perMethod = 63;

/** The coordinator itself is none of those who call here. */
const isCovered = (role: Role | 'itself', by: Role): boolean =>
  role !== 'itself' && roles.indexOf(by) >= roles.indexOf(role);

test('the table has all methods of the interface and of the module', () => {
  expect([...names].sort()).toEqual(service._fields.map(([name]) => name).sort());
  for (const [name, { annotations }] of service._fields) {
    const { kind } = coordinatorMethods[name];
    expect(annotations).toEqual(kind === 'update' ? [] : [kind]);
  }
});

describe.each(names)('%s', (name) => {
  const { role, kind } = coordinatorMethods[name];
  beforeAll(() => {
    scriptEnqueue(name);
  });

  test('is for those that the table says, from outside and from canisters', () => {
    for (const { principal, role: theirs } of people.values()) {
      const before = isCovered(role, theirs) ? undefined : state();
      const arg = argumentOf(name);
      const ways = kind === 'update' ? [false] : kind === 'query' ? [true, false] : [true];
      const isRefused = !isCovered(role, theirs);
      for (const asQuery of ways) {
        const answer = fromOutside(principal, name, arg, asQuery);
        expect(answer.includes('not-authorised')).toBe(isRefused);
      }
      if (before) expect(state()).toEqual(before);
    }
    if (kind === 'composite_query') return;
    // A worker, of this model or of another, is a canister without a role.
    for (const [theirs] of canisters) {
      const before = isCovered(role, theirs) ? undefined : state();
      const answer = fromCanister(theirs, name, argumentOf(name));
      expect(answer === 'not-authorised').toBe(!isCovered(role, theirs));
      if (before) expect(state()).toEqual(before);
    }
  });

  test(`does not trap on ${perMethod} arguments that are none, and changes nothing`, () => {
    // As the role that may call it: the argument itself is looked at.
    const theirs = role === 'stranger' ? 'caller' : role === 'itself' ? 'owner' : role;
    const { principal } = [...people.values()].find((one) => one.role === theirs)!;
    let before = state();
    malformed(argumentOf(name), perMethod, names.indexOf(name)).forEach((arg, index) => {
      const answer =
        kind === 'update'
          ? fromCanister(theirs, name, arg)
          : fromOutside(principal, name, arg, true);
      expect(answer).not.toContain('trap');
      // Some are arguments after all.
      if (answer === 'ok') before = state();
      else if (index % 16 === 15) expect(state()).toEqual(before);
    });
    expect(state()).toEqual(before);
  });
});

test('short arguments that would keep a reader busy for ever are refused', () => {
  const cost = (arg: number[], name: Name): number =>
    network.instructionsOf(coordinator, () => {
      const bytes = Uint8Array.from([...Buffer.from('DIDL'), ...arg]);
      expect(fromCanister('owner', name, bytes)).toBe('bad-message');
    });
  const many = [0xff, 0xff, 0xff, 0xff, 0x0f];
  // vec null; vec record {}; a record that contains itself; opt of itself.
  for (const name of ['cancel', 'submit', 'set_access', 'why_refused'] as const) {
    expect(cost([1, 0x6d, 0x7f, 1, 0, ...many], name)).toBeLessThan(20_000_000);
    expect(cost([2, 0x6d, 1, 0x6c, 0, 1, 0, ...many], name)).toBeLessThan(20_000_000);
    expect(cost([1, 0x6c, 1, 0, 0, 1, 0], name)).toBeLessThan(20_000_000);
    expect(cost([1, 0x6e, 0, 1, 0, ...new Array<number>(500).fill(1)], name)).toBeLessThan(
      20_000_000,
    );
  }
});

test('rows without data are not taken by the billion', () => {
  const plan = {
    ...samplePlan(),
    inputs: [{ name: 'x', dtype: 'float32' as const, dims: ['a', 'b'] }],
  };
  plan.stages = plan.stages.map((stage, index) =>
    index === 0 ? { ...stage, inputs: ['x'] } : stage,
  );
  const model = { name: 'open', plan: JSON.stringify(plan), workers };
  expect(network.call(alice, coordinator, 'register_model', [model])).toEqual({ ok: null });
  const bundle = encodeBundle([
    { name: 'x', dtype: 'float32', dims: [0xffffffff, 0], data: new Uint8Array() },
  ]);
  const arg = IDL.encode(typesOf('submit').argTypes, ['open', bundle, []]);
  const cost = network.instructionsOf(coordinator, () => {
    expect(fromCanister('caller', 'submit', arg)).toBe('too-large');
  });
  expect(cost).toBeLessThan(20_000_000);
});
