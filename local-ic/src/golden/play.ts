import { createHash } from 'node:crypto';
import { UserError } from '../errors.js';
import { certifiedIc } from '../certification/index.js';
import type { Ic } from '../ic.js';
import { idKey } from '../principal.js';
import type { Difference, GoldenCase, Recorded, RecordedEffects, Step } from './case.js';
import { compareOutcome, isRecorded, type Outcome } from './compare.js';
import { fromHex, Names } from './names.js';

export interface PlayOptions {
  readonly costs: '2025-10' | '2026-07';
  /** Directory of the modules that the case names. */
  readonly modules: string;
}

/** Rounds after which a message that was awaited counts as never answered. */
const MAX_ROUNDS = 300;

/** Plays a case on a fresh instance and returns the differences from what was recorded. */
export function playCase(golden: GoldenCase, options: PlayOptions): Difference[] {
  return new CasePlayer(golden, options).play();
}

class CasePlayer {
  readonly #differences: Difference[] = [];
  readonly #ic: Ic;
  readonly #names: Names;
  readonly #messages = new Map<string, { id: Uint8Array; refused?: Outcome }>();
  #step = 0;

  constructor(
    private readonly golden: GoldenCase,
    options: PlayOptions,
  ) {
    this.#names = new Names(options.modules);
    this.#ic = certifiedIc({
      subnets: golden.subnets.map((kind) => ({ kind: kind as 'application' })),
      costs: options.costs,
      initialTimeNs: BigInt(golden.initial_time_ns),
    });
    this.#subnetsInOrder().forEach((id, index) => {
      this.#names.set(`subnet${index}`, id);
    });
  }

  /** The ids of the subnets in the order in which the case lists their kinds. */
  #subnetsInOrder(): Uint8Array[] {
    return this.#ic.subnets.map(({ id }) => id);
  }

  play(): Difference[] {
    for (const [index, step] of this.golden.steps.entries()) {
      this.#step = index;
      this.#run(step);
    }
    return this.#differences;
  }

  #run(step: Step): void {
    const ic = this.#ic;
    switch (step.do) {
      case 'note':
        return;
      case 'create': {
        this.#effects(step.expect, () => {
          this.#create(step);
        });
        if (isRecorded(step.expect.balance)) {
          this.#equal(
            'cycles',
            'balance',
            step.expect.balance,
            this.#balanceOf(this.#names.canister(step.as)),
          );
        }
        return;
      }
      case 'name_canister':
        return;
      case 'update':
        this.#effects(step.expect, () => {
          this.#judge(step.expect, this.#await(this.#submit(step)));
        });
        return;
      case 'query':
        this.#judge(step.expect, this.#query(step));
        return;
      case 'submit': {
        const submitted = this.#submit(step);
        this.#messages.set(step.as, submitted);
        this.#judge(step.expect, submitted.refused ?? { kind: 'accepted' });
        return;
      }
      case 'tick':
        this.#effects(step.expect, () => {
          for (let i = 0; i < step.n; i++) ic.tick();
        });
        return;
      case 'drain':
        this.#effects(step.expect, () => {
          this.#drain(step);
        });
        return;
      case 'status':
        this.#judge(step.expect, this.#statusOf(this.#message(step.message)));
        return;
      case 'set_time':
        ic.setTime(BigInt(step.nanos));
        return;
      case 'advance_time':
        ic.advanceTime(BigInt(step.nanos));
        return;
      case 'add_cycles':
        ic.addCycles(this.#names.canister(step.canister), BigInt(step.amount));
        this.#equal(
          'cycles',
          'balance',
          step.expect.balance,
          this.#balanceOf(this.#names.canister(step.canister)),
        );
        return;
      case 'get_cycles':
        this.#equal(
          'cycles',
          'balance',
          step.expect.balance,
          this.#balanceOf(this.#names.canister(step.canister)),
        );
        return;
      case 'get_stable_memory': {
        const memory = ic.stableMemory(this.#names.canister(step.canister));
        this.#equal('outcome', 'stable memory length', step.expect.length, memory.length);
        const sha256 = createHash('sha256').update(memory).digest('hex');
        this.#equal('outcome', 'stable memory hash', step.expect.sha256, sha256);
        return;
      }
    }
  }

  #create(step: Extract<Step, { do: 'create' }>): void {
    const submitted = this.#submit({
      canister: 'management',
      method: 'provisional_create_canister_with_cycles',
      sender: step.sender,
      arg: step.arg,
      ...(step.subnet === undefined ? {} : { subnet: step.subnet }),
    });
    const outcome = this.#await(submitted);
    if (outcome.kind === 'reply') this.#names.set(step.as, outcome.bytes.slice(-10));
    this.#judge(step.expect, outcome);
  }

  #submit(step: {
    canister: string;
    method: string;
    sender: string;
    arg: string;
    effective_canister?: string;
    subnet?: string;
    message_id?: string;
  }): { id: Uint8Array; refused?: Outcome } {
    const names = this.#names;
    try {
      const { messageId } = this.#ic.submitIngress({
        sender: names.sender(step.sender),
        canisterId: names.canister(step.canister),
        method: step.method,
        arg: names.bytes(step.arg),
        ...(step.effective_canister === undefined
          ? {}
          : { effectiveCanisterId: names.canister(step.effective_canister) }),
        ...(step.subnet === undefined ? {} : { subnetId: names.canister(step.subnet) }),
        ...(step.message_id === undefined ? {} : { messageId: fromHex(step.message_id) }),
      });
      return { id: messageId };
    } catch (error) {
      return { id: new Uint8Array(), refused: refusal(error, 'submit') };
    }
  }

  #await(submitted: { id: Uint8Array; refused?: Outcome }): Outcome {
    if (submitted.refused) return submitted.refused;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const outcome = this.#statusOf(submitted);
      if (outcome.kind !== 'pending') return outcome;
      this.#tick();
    }
    return this.#statusOf(submitted);
  }

  #statusOf(submitted: { id: Uint8Array; refused?: Outcome }): Outcome {
    if (submitted.refused) return submitted.refused;
    const status = this.#ic.ingressStatus(submitted.id);
    if (status.status === 'replied') return { kind: 'reply', bytes: status.reply };
    if (status.status === 'rejected') return { kind: 'reject', error: status.error };
    return { kind: 'pending' };
  }

  #query(step: Extract<Step, { do: 'query' }>): Outcome {
    const names = this.#names;
    try {
      const bytes = this.#ic.query({
        sender: names.sender(step.sender),
        canisterId: names.canister(step.canister),
        method: step.method,
        arg: names.bytes(step.arg),
        ...(step.effective_canister === undefined
          ? {}
          : { effectiveCanisterId: names.canister(step.effective_canister) }),
      });
      return { kind: 'reply', bytes };
    } catch (error) {
      return refusal(error);
    }
  }

  #drain(step: Extract<Step, { do: 'drain' }>): void {
    const open = new Map(step.messages.map((name) => [name, this.#message(name)]));
    const answered = new Map<string, { round: number; outcome: Outcome }>();
    const collect = (round: number): void => {
      for (const [name, submitted] of open) {
        const outcome = this.#statusOf(submitted);
        if (outcome.kind === 'pending') continue;
        open.delete(name);
        answered.set(name, { round, outcome });
      }
    };
    for (let round = 1; open.size > 0 && round <= MAX_ROUNDS; round++) {
      this.#tick();
      collect(round);
    }
    for (const [name, expected] of Object.entries(step.expect.answers)) {
      const answer = answered.get(name) ?? {
        round: MAX_ROUNDS,
        outcome: { kind: 'pending' as const },
      };
      this.#judge(expected, answer.outcome, name);
      this.#equal('rounds', `round of ${name}`, expected.round, answer.round);
    }
  }

  #message(name: string): { id: Uint8Array; refused?: Outcome } {
    const submitted = this.#messages.get(name);
    if (!submitted) throw new Error(`step ${this.#step} names the unknown message ${name}`);
    return submitted;
  }

  #rounds = 0;

  #tick(): void {
    this.#rounds++;
    this.#ic.tick();
  }

  /** Runs a step and compares the rounds it took and the cycles it moved. */
  #effects(expected: RecordedEffects, run: () => void): void {
    const before = new Map(
      [...this.#names.entries()].map(([name, id]) => [name, this.#balance(id)]),
    );
    this.#rounds = 0;
    run();
    if (expected.rounds !== undefined && this.golden.steps[this.#step]!.do !== 'tick') {
      this.#equal('rounds', 'rounds', expected.rounds, this.#rounds);
    }
    if (!isRecorded(expected.cycles)) return;
    const moved: Record<string, string> = {};
    for (const [name, balance] of before) {
      const after = this.#balance(this.#names.canister(name));
      if (balance === undefined && after === undefined) {
        if (this.#deleted.has(name)) moved[name] = 'deleted';
        continue;
      }
      if (after === undefined) {
        this.#deleted.add(name);
        moved[name] = 'deleted';
      } else if (balance !== after) {
        moved[name] = String((balance ?? 0n) - after);
      }
    }
    for (const name of new Set([...Object.keys(expected.cycles), ...Object.keys(moved)])) {
      this.#equal('cycles', `cycles of ${name}`, expected.cycles[name] ?? '0', moved[name] ?? '0');
    }
  }

  readonly #deleted = new Set<string>();

  #balance(id: Uint8Array): bigint | undefined {
    return this.#ic.canisterExists(id) ? this.#ic.cyclesBalance(id) : undefined;
  }

  #balanceOf(id: Uint8Array): string {
    return String(this.#balance(id) ?? 'no such canister');
  }

  #judge(expected: Parameters<typeof compareOutcome>[0], actual: Outcome, message?: string): void {
    if (actual.kind === 'reply') this.#nameCreated(actual.bytes);
    for (const { aspect, text } of compareOutcome(expected, actual, this.#names)) {
      this.#report(aspect, message === undefined ? text : `${message}: ${text}`);
    }
  }

  /** A reply may name the canister that it ends with: the next step says so. */
  #nameCreated(reply: Uint8Array): void {
    const next = this.golden.steps[this.#step + 1];
    if (next?.do === 'name_canister') this.#names.set(next.as, reply.slice(-10));
  }

  #equal<T extends string | number>(
    aspect: Difference['aspect'],
    what: string,
    expected: Recorded<T> | undefined,
    actual: T,
  ): void {
    if (!isRecorded(expected) || expected === actual) return;
    const gap =
      /^-?\d+$/.test(`${expected}`) && /^-?\d+$/.test(`${actual}`)
        ? ` (${BigInt(actual) - BigInt(expected)})`
        : '';
    this.#report(aspect, `${what}: expected ${expected}, got ${actual}${gap}`);
  }

  #report(aspect: Difference['aspect'], text: string): void {
    this.#differences.push({ aspect, step: this.#step, text: readable(text, this.#names) });
  }
}

/** Ids in hex are given by the names of the case. */
function readable(text: string, names: Names): string {
  let result = text;
  for (const [name, id] of names.entries()) {
    if (id.length > 9) result = result.replaceAll(idKey(id), `{${name}}`);
  }
  return result;
}

function refusal(error: unknown, phase?: 'submit'): Outcome {
  if (error instanceof UserError) {
    return { kind: 'reject', error, ...(phase === undefined ? {} : { phase }) };
  }
  if (error instanceof Error && error.name === 'IcError')
    return { kind: 'refused', text: error.message };
  throw error;
}
