import { rejectCodes, type Transport } from '@canopy/client';
import { principalFromText } from '@canopy/local-ic';
import type { IcAbout, Memory } from '../results/schema.js';
import { canisterStatus } from './canister-status.js';
import { PocketIcRest } from './pocket-ic-rest.js';
import { nextFullHour, type Answer, type PendingCall, type RoundIc } from './round-ic.js';
import { management, replyOf, roundTransport, type RoundCalls } from './round-transport.js';

const secondNs = 1_000_000_000n;
/** Rounds in which a canister pays off a heap of 4 GiB that has changed as a whole, 75 MiB a round. */
const roundsOfFullHeap = 55;
/** Rounds in which canisters that have something to do must come to an end. */
const patience = 2000;
/** Rounds without a change of cycles after which none will come. */
const roundsAtRest = 3;

type Outcome = { Ok: string } | { Err: { reject_code: string; reject_message: string } };

/** A fresh instance on a PocketIC server, or on what speaks its interface. */
export class PocketIc implements RoundIc, RoundCalls {
  readonly unit = 'round';
  round = 0;
  /** Who made each canister. */
  private readonly owners = new Map<string, string>();

  private ticking: Promise<void> = Promise.resolve();

  private constructor(
    private readonly instance: PocketIcRest,
    readonly about: IcAbout,
    private timeNs: bigint,
  ) {}

  /** Throws `BenchIcError` where no PocketIC server answers at `url`. */
  static async create(url: string, version: string | null): Promise<PocketIc> {
    const server = url.replace(/\/+$/, '');
    const instance = await PocketIcRest.create(server);
    const time = await instance.number('read/get_time', 'nanos_since_epoch');
    return new PocketIc(instance, { kind: 'pocket-ic', version, url: server }, time);
  }

  /** One round after the other, as their times must rise. */
  tick(): Promise<void> {
    this.ticking = this.ticking.then(async () => {
      await this.advanceTo(this.timeNs + secondNs);
      await this.executeRound();
      this.round++;
    });
    return this.ticking;
  }

  private async advanceTo(timeNs: bigint): Promise<void> {
    this.timeNs = timeNs;
    await this.instance.post('update/set_time', `{"nanos_since_epoch":${this.timeNs}}`);
  }

  private async executeRound(): Promise<void> {
    await this.instance.post('update/tick', '{}');
  }

  submit(sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall> {
    return this.send(sender, canister, method, arg);
  }

  async send(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): Promise<PendingCall> {
    const message = this.message(sender, canister, method, arg, effectiveCanister);
    const text = await this.instance.post('update/submit_ingress_message', message);
    const submitted = JSON.parse(text) as { Ok: unknown } | Extract<Outcome, { Err: unknown }>;
    if ('Err' in submitted) {
      const refused = answerOf(submitted);
      return { poll: () => Promise.resolve(refused) };
    }
    const question = JSON.stringify({
      raw_message_id: submitted.Ok,
      raw_caller: { principal_id: base64(principalFromText(sender)) },
    });
    return { poll: () => this.answer(question) };
  }

  private async answer(question: string): Promise<Answer | undefined> {
    const status = JSON.parse(
      await this.instance.post('read/ingress_status', question),
    ) as Outcome | null;
    return status === null ? undefined : answerOf(status);
  }

  private message(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): string {
    const isManagement = canister === management;
    return JSON.stringify({
      sender: base64(principalFromText(sender)),
      canister_id: isManagement ? '' : base64(principalFromText(canister)),
      effective_principal:
        effectiveCanister === undefined
          ? 'None'
          : { CanisterId: base64(principalFromText(effectiveCanister)) },
      method,
      payload: base64(arg),
    });
  }

  transport(sender: string): Transport {
    const transport = roundTransport(this, sender);
    return {
      ...transport,
      createCanister: async (options) => {
        const canister = await transport.createCanister(options);
        this.owners.set(canister, sender);
        return canister;
      },
    };
  }

  async query(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): Promise<Uint8Array> {
    const message = this.message(sender, canister, method, arg, effectiveCanister);
    return replyOf(
      answerOf(JSON.parse(await this.instance.post('read/query', message)) as Outcome),
    );
  }

  /**
   * Executes rounds until no canister does anything, seen by its cycles, and has paid for the heap it
   * changed; then goes on to the next full hour. Who was served before cannot be made forgotten.
   */
  async rest(): Promise<void> {
    // No time passes, so that nothing is charged for memory.
    for (let round = 0; round < roundsOfFullHeap; round++) await this.executeRound();
    await this.settle();
    await this.advanceTo(nextFullHour(this.timeNs));
    await this.executeRound();
  }

  /** Executes rounds until no canister does anything, seen by its cycles; no time passes. */
  async settle(): Promise<void> {
    let last = '';
    for (let round = 0, same = 0; round < patience && same < roundsAtRest; round++) {
      await this.executeRound();
      const now = await this.balances();
      same = now === last ? same + 1 : 0;
      last = now;
    }
  }

  private async balances(): Promise<string> {
    const all = await Promise.all([...this.owners.keys()].map((id) => this.cyclesBalance(id)));
    return all.join();
  }

  cyclesBalance(canister: string): Promise<bigint> {
    const body = JSON.stringify({ canister_id: base64(principalFromText(canister)) });
    return this.instance.number('read/get_cycles', 'cycles', body);
  }

  async memory(canister: string): Promise<Memory | null> {
    const owner = this.owners.get(canister);
    if (owner === undefined) return null;
    const status = await canisterStatus(
      (method, arg) => this.query(owner, management, method, arg, canister),
      canister,
    );
    return status && status.memory;
  }

  close(): Promise<void> {
    return this.instance.delete();
  }
}

function answerOf(outcome: Outcome): Answer {
  if ('Ok' in outcome) {
    // A copy of its own: decoders take the whole buffer behind an array.
    return { kind: 'reply', reply: new Uint8Array(Buffer.from(outcome.Ok, 'base64')) };
  }
  const { reject_code, reject_message } = outcome.Err;
  return { kind: 'reject', code: rejectCodes[reject_code] ?? 0, message: reject_message };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
