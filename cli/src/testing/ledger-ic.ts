import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { CallRejected, CyclesLedgerClient, type Transport } from '@canopy/client';
import { roundTransport, type RoundCalls } from '@canopy/bench';
import {
  Ic,
  SYSTEM_SUBNETS,
  UserError,
  installSystemCanisters,
  principalFromText,
  principalToText,
  type ProfileName,
} from '@canopy/local-ic';

const secondNs = 1_000_000_000n;
const management = 'aaaaa-aa';
const idleField = 'idle_cycles_burned_per_day';
const idleStatus = IDL.Record({ [idleField]: IDL.Nat });
const canisterArgs = [IDL.Record({ canister_id: IDL.Principal })];

/** A principal of a person, whose account at the cycles ledger holds cycles; no key belongs to it. */
export const person = principalToText(Uint8Array.from([...new Uint8Array(28).fill(7), 2]));

/** An embedded IC in this process with an application subnet and the cycles ledger, asked as {@link person}. */
export class LedgerIc implements RoundCalls {
  readonly ic: Ic;
  /** Rounds executed so far. */
  rounds = 0;
  /** Methods of the update calls that were sent. */
  readonly calls: string[] = [];

  constructor(costs: ProfileName = '2026-07') {
    this.ic = new Ic({ subnets: [{ kind: 'application' }, ...SYSTEM_SUBNETS], costs });
    installSystemCanisters(this.ic);
    this.ic.firstRound();
  }

  /** Text of the subnet that canisters are created on. */
  get subnet(): string {
    return principalToText(this.ic.subnets[0]!.id);
  }

  /** Text of the canisters on it. */
  get canisters(): string[] {
    return [...this.ic.subnets[0]!.canisters.values()].map(({ id }) => principalToText(id));
  }

  get transport(): Transport {
    const transport = roundTransport(this, person);
    return {
      ...transport,
      manage: (method, arg) => transport.update(management, method, arg),
    };
  }

  /** Cycles in the account at the cycles ledger. */
  ledgerBalance(): Promise<bigint> {
    return new CyclesLedgerClient(this.transport).balance();
  }

  balance(canister: string): bigint {
    return this.ic.cyclesBalance(principalFromText(canister));
  }

  /** Cycles that an idle canister burns in a day, as its status tells. */
  async idlePerDay(canister: string): Promise<number> {
    const arg = IDL.encode(canisterArgs, [{ canister_id: Principal.fromText(canister) }]);
    const reply = await this.transport.query(management, 'canister_status', arg);
    const [status] = IDL.decode([idleStatus], reply) as unknown as [{ [idleField]: bigint }];
    return Number(status[idleField]);
  }

  /** Executes rounds until what is under way has surely ended, and set-aside cycles are back. */
  async settle(): Promise<void> {
    for (let round = 0; round < 30; round++) await this.tick();
  }

  tick(): Promise<void> {
    this.ic.advanceTime(secondNs);
    this.ic.tick();
    this.rounds++;
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to reject
  async send(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
  ): ReturnType<RoundCalls['send']> {
    this.calls.push(method);
    const isManagement = canister === management;
    const { messageId } = rejections(() =>
      this.ic.submitIngress({
        sender: principalFromText(sender),
        canisterId: isManagement ? new Uint8Array() : principalFromText(canister),
        method,
        arg,
        ...(isManagement && { subnetId: this.ic.subnets[0]!.id }),
      }),
    );
    // eslint-disable-next-line @typescript-eslint/require-await -- an async face over what is there at once
    const poll = async (): ReturnType<Awaited<ReturnType<RoundCalls['send']>>['poll']> => {
      const status = this.ic.ingressStatus(messageId);
      if (status.status === 'replied') return { kind: 'reply', reply: status.reply };
      if (status.status !== 'rejected') return undefined;
      const { rejectCode: code, message } = status.error;
      return { kind: 'reject', code, message };
    };
    return { poll };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to reject
  async query(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
  ): Promise<Uint8Array> {
    const canisterId = canister === management ? new Uint8Array() : principalFromText(canister);
    const call = { sender: principalFromText(sender), canisterId, method, arg };
    return rejections(() => this.ic.query(call));
  }
}

/** Throws rejections as transports do. */
function rejections<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof UserError) throw new CallRejected(error.rejectCode, error.message);
    throw error;
  }
}
