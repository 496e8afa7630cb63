import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { certifiedIc } from '../certification/index.js';
import { UserError } from '../errors.js';
import type { Ic } from '../ic.js';
import { decode, encode } from '../management/candid/index.js';
import { canisterIdRecord, installCodeArgs, provisionalCreateArgs } from '../management/types.js';
import { ANONYMOUS } from '../principal.js';
import type { Difference } from './case.js';
import { assemble } from './wat.js';

/** Measured instruction counts and cycles (metering.json beside the cases, texts in metering/). */
interface Measurements {
  readonly instructions: readonly MeasuredInstruction[];
  readonly instructions_wasm64: readonly MeasuredInstruction[];
  readonly structures: readonly MeasuredModule[];
  readonly random: readonly MeasuredModule[];
  readonly ic0: readonly {
    readonly label: string;
    readonly method: string;
    readonly arg_bytes: number;
    readonly delta: number;
    readonly counter_at_end: number;
    readonly cycles_charged: string;
  }[];
  readonly memory: readonly {
    readonly label: string;
    readonly before: string;
    readonly body: string;
    readonly runs: readonly {
      readonly delta: number;
      readonly counter_at_end: number;
      readonly cycles_charged: string;
    }[];
  }[];
  readonly install: readonly {
    readonly label: string;
    readonly wat?: string;
    readonly cycles_first_install: number;
    readonly cycles_second_install: number;
    readonly cycles_upgrade: number;
  }[];
}

interface MeasuredInstruction {
  readonly name: string;
  readonly unit: string;
  readonly counts?: readonly number[];
  readonly rejected?: string;
}

interface MeasuredModule {
  readonly name: string;
  readonly wat: string;
  readonly runs: readonly {
    readonly args: readonly (number | string)[];
    readonly result: number | string;
    readonly count: number;
  }[];
}

export type MeteringSection = keyof Measurements;
export const meteringSections: readonly MeteringSection[] = [
  'instructions',
  'instructions_wasm64',
  'structures',
  'random',
  'ic0',
  'memory',
  'install',
];

type Costs = '2025-10' | '2026-07';

/** Checks one section of metering.json and returns the differences. */
export async function checkMetering(
  file: string,
  section: MeteringSection,
  costs: Costs,
): Promise<Difference[]> {
  const measured = JSON.parse(readFileSync(file, 'utf8')) as Measurements;
  const check = new MeteringCheck(dirname(file), costs);
  switch (section) {
    case 'instructions':
      for (const entry of measured.instructions) await check.instruction(entry, false);
      break;
    case 'instructions_wasm64':
      for (const entry of measured.instructions_wasm64) await check.instruction(entry, true);
      break;
    case 'structures':
      for (const entry of measured.structures) await check.module(entry, 4);
      break;
    case 'random':
      for (const entry of measured.random) await check.module(entry, 8);
      break;
    case 'ic0':
      await check.ic0(measured.ic0);
      break;
    case 'memory':
      for (const entry of measured.memory) await check.memory(entry);
      break;
    case 'install':
      for (const entry of measured.install) await check.install(entry);
      break;
  }
  return check.differences;
}

class MeteringCheck {
  readonly differences: Difference[] = [];

  constructor(
    private readonly directory: string,
    private readonly costs: Costs,
  ) {}

  async instruction(entry: MeasuredInstruction, memory64: boolean): Promise<void> {
    const template = this.#text('metering/template.wat');
    const text = (memory64 ? as64Bit(template) : template).replaceAll(
      '(drop (i32.clz (i32.const 7)))',
      entry.unit,
    );
    const module = await assemble(text);
    const bench = new Bench(this.costs);
    let reply: DataView;
    try {
      reply = bench.query(bench.deploy(module), 'q0', new Uint8Array());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (entry.rejected === undefined) this.#report('outcome', `${entry.name}: ${error.message}`);
      else if (!refusal(error.message).includes(refusal(entry.rejected))) {
        this.#report('text', `${entry.name}: ${error.message}`);
      }
      return;
    }
    if (entry.counts === undefined) {
      this.#report('outcome', `${entry.name} should be refused: ${entry.rejected ?? ''}`);
      return;
    }
    const counts = entry.counts.map((_, i) => Number(reply.getBigUint64(8 * i, true)));
    this.#equal(entry.name, entry.counts.join(' '), counts.join(' '));
  }

  async module(entry: MeasuredModule, argBytes: 4 | 8): Promise<void> {
    const module = await assemble(this.#text(entry.wat));
    const bench = new Bench(this.costs);
    const canister = bench.deploy(module);
    for (const run of entry.runs) {
      const arg = new DataView(new ArrayBuffer(argBytes * run.args.length));
      run.args.forEach((value, i) => {
        if (argBytes === 4) arg.setInt32(4 * i, Number(value), true);
        else arg.setBigInt64(8 * i, BigInt(value), true);
      });
      const reply = bench.query(canister, 'q', new Uint8Array(arg.buffer));
      const count = Number(reply.getBigUint64(0, true));
      const result = argBytes === 4 ? reply.getInt32(8, true) : reply.getBigInt64(8, true);
      const name = `${entry.name}(${run.args.join(', ')})`;
      this.#equal(name, `count ${run.count}`, `count ${count}`);
      this.#equal(name, `result ${run.result}`, `result ${result}`);
    }
  }

  async ic0(entries: Measurements['ic0']): Promise<void> {
    const bench = new Bench(this.costs);
    const canister = bench.deploy(await assemble(this.#text('metering/ic0_calls.wat')));
    for (const entry of entries) {
      const cycles = bench.update(
        canister,
        entry.method,
        new Uint8Array(entry.arg_bytes).fill(0x61),
      );
      this.#compare(entry.label, entry, bench.query(canister, 'get', new Uint8Array()), cycles);
    }
  }

  async memory(entry: Measurements['memory'][number]): Promise<void> {
    const text = this.#text('metering/memory_template.wat')
      .replace(/;;BEFORE\n/, `(local $t2 i32) ${entry.before}\n`)
      .replace(/;;BODY\n/, `${entry.body}\n`);
    const bench = new Bench(this.costs);
    const canister = bench.deploy(await assemble(text));
    entry.runs.forEach((run, index) => {
      const cycles = bench.update(canister, 'f', new Uint8Array());
      const counters = bench.query(canister, 'get', new Uint8Array());
      this.#compare(`${entry.label}, run ${index}`, run, counters, cycles);
    });
  }

  async install(entry: Measurements['install'][number]): Promise<void> {
    if (entry.wat === undefined) return;
    const module = await assemble(entry.wat);
    const bench = new Bench(this.costs);
    const [first, second] = [bench.create(), bench.create()];
    const cycles = [
      bench.install(first, module, 'install'),
      bench.install(second, module, 'install'),
      bench.install(second, module, 'upgrade'),
    ];
    const measured = [
      entry.cycles_first_install,
      entry.cycles_second_install,
      entry.cycles_upgrade,
    ];
    this.#equal(entry.label, measured.join(' '), cycles.join(' '));
  }

  #compare(
    label: string,
    measured: { delta: number; counter_at_end: number; cycles_charged: string },
    counters: DataView,
    cycles: bigint,
  ): void {
    const delta = counters.getBigUint64(0, true);
    const end = counters.getBigUint64(8, true);
    this.#equal(
      label,
      `delta ${measured.delta}, at end ${measured.counter_at_end}, cycles ${measured.cycles_charged}`,
      `delta ${delta}, at end ${end}, cycles ${cycles}`,
    );
  }

  #equal(label: string, expected: string, actual: string): void {
    if (expected !== actual)
      this.#report('cycles', `${label}: expected ${expected}, got ${actual}`);
  }

  #report(aspect: Difference['aspect'], text: string): void {
    this.differences.push({ aspect, step: this.differences.length, text });
  }

  #text(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8');
  }
}

/** A refusal without what depends on the rest of the module, or on the server's own validator. */
function refusal(text: string): string {
  return text.replace(/ at index \d+/, '').replace(/failed with[^]*/, '');
}

/** The template for a module with a 64-bit memory: addresses and lengths are i64. */
function as64Bit(template: string): string {
  return template
    .replace('(memory (export "memory") 10)', '(memory (export "memory") i64 10)')
    .replace('$msg_reply_data_append (param i32 i32)', '$msg_reply_data_append (param i64 i64)')
    .replaceAll('(i64.store (i32.const 0)', '(i64.store (i64.const 0)')
    .replaceAll(
      '(call $msg_reply_data_append (i32.const 0) (i32.const 8))',
      '(call $msg_reply_data_append (i64.const 0) (i64.const 8))',
    );
}

/** Rounds until calls that a measured message made are answered. */
const ROUNDS_AFTER = 4;

/** A network with canisters to measure on. */
class Bench {
  readonly #ic: Ic;

  constructor(costs: Costs) {
    this.#ic = certifiedIc({ subnets: [{ kind: 'application' }], costs });
  }

  create(): Uint8Array {
    const arg = encode(provisionalCreateArgs, {
      amount: 100_000_000_000_000n,
      settings: undefined,
      specified_id: undefined,
      sender_canister_version: undefined,
    });
    const { reply } = this.#manage('provisional_create_canister_with_cycles', arg);
    return decode(canisterIdRecord, reply).canister_id;
  }

  deploy(module: Uint8Array): Uint8Array {
    const canister = this.create();
    this.install(canister, module, 'install');
    return canister;
  }

  /** Cycles charged for the installation. Throws UserError. */
  install(canister: Uint8Array, module: Uint8Array, mode: 'install' | 'upgrade'): bigint {
    const before = this.#ic.cyclesBalance(canister);
    const arg = encode(installCodeArgs, {
      mode: mode === 'install' ? { install: null } : { upgrade: undefined },
      canister_id: canister,
      wasm_module: module,
      arg: new Uint8Array(),
      sender_canister_version: undefined,
    });
    this.#manage('install_code', arg, canister);
    return before - this.#ic.cyclesBalance(canister);
  }

  /** Cycles charged for an update call, whatever its answer, and for what it started. */
  update(canister: Uint8Array, method: string, arg: Uint8Array): bigint {
    const before = this.#ic.cyclesBalance(canister);
    this.#await({ sender: ANONYMOUS, canisterId: canister, method, arg });
    for (let round = 0; round < ROUNDS_AFTER; round++) this.#ic.tick();
    return before - this.#ic.cyclesBalance(canister);
  }

  query(canister: Uint8Array, method: string, arg: Uint8Array): DataView {
    const reply = this.#ic.query({ sender: ANONYMOUS, canisterId: canister, method, arg }).slice();
    return new DataView(reply.buffer, reply.byteOffset, reply.length);
  }

  #manage(method: string, arg: Uint8Array, target?: Uint8Array): { reply: Uint8Array } {
    const status = this.#await({
      sender: ANONYMOUS,
      canisterId: new Uint8Array(),
      method,
      arg,
      ...(target === undefined ? {} : { effectiveCanisterId: target }),
    });
    if (status.status === 'rejected') throw status.error;
    if (status.status !== 'replied') throw new Error(`${method} was not answered`);
    return status;
  }

  #await(call: Parameters<Ic['submitIngress']>[0]): ReturnType<Ic['ingressStatus']> {
    const { messageId } = this.#ic.submitIngress(call);
    for (let round = 0; round < 100; round++) {
      const status = this.#ic.ingressStatus(messageId);
      if (status.status === 'replied' || status.status === 'rejected') return status;
      this.#ic.tick();
    }
    return this.#ic.ingressStatus(messageId);
  }
}
