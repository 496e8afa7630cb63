import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { CallRejected, CanopyError } from '../errors.js';
import { retry } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import * as types from './ledger-types.js';

/** The canisters' ids, on mainnet and on local networks that have them. */
export const cyclesLedgerId = 'um5iw-rqaaa-aaaaq-qaaba-cai';
export const cyclesMintingId = 'rkp4c-7iaaa-aaaaa-aaaca-cai';

/** What a new canister is to be. The same again is the same creation, for a day. */
export interface CreationOrder {
  /** Nanoseconds since 1970; tells this creation from all others of the caller. */
  createdAt: bigint;
  /** Cycles that leave the ledger: for the fee of creation, and the canister's first. */
  amount: bigint;
  /** Text of the principals that manage the canister. */
  controllers: readonly string[];
  /** Text of the subnet; one that the network chooses where it is left out. */
  subnet?: string;
}

/** What became of a creation. */
export type Creation =
  /** It is done, by this call or by one before. */
  | { kind: 'created'; canister: string }
  /** A call before is at work on it, or came to nothing and the cycles went back. */
  | { kind: 'known' }
  /** It is older than the ledger remembers: whether it was done cannot be told. */
  | { kind: 'too-old' }
  /** Nothing was done: the ledger's clock shows this time, earlier than `createdAt`. */
  | { kind: 'too-early'; ledgerTime: bigint }
  /** Nothing was created, and the cycles went back, less a fee. */
  | { kind: 'failed'; reason: string };

/** The caller's account at the cycles ledger. Methods throw what transports throw, and {@link CanopyError}. */
export class CyclesLedgerClient {
  constructor(private readonly transport: Transport) {}

  /** Cycles that each creation and each withdrawal costs besides. */
  async fee(): Promise<bigint> {
    const reply = await this.transport.query(cyclesLedgerId, 'icrc1_fee', IDL.encode([], []));
    return IDL.decode(types.natReply, reply)[0] as unknown as bigint;
  }

  /** Cycles of the caller. */
  async balance(): Promise<bigint> {
    const owner = Principal.fromText(await this.transport.principal());
    const arg = IDL.encode(types.balanceArgs, [{ owner, subaccount: [] }]);
    const reply = await this.transport.query(cyclesLedgerId, 'icrc1_balance_of', arg);
    return IDL.decode(types.natReply, reply)[0] as unknown as bigint;
  }

  /** Subnets on which anybody may create canisters, as the cycles minting canister names them. */
  async subnets(): Promise<string[]> {
    const arg = IDL.encode([], []);
    const reply = await this.transport.query(cyclesMintingId, 'get_default_subnets', arg);
    const [subnets] = IDL.decode(types.subnetsReply, reply) as unknown as [Principal[]];
    return subnets.map((id) => id.toText());
  }

  /** Creates a canister, once for each order. Code `no-cycles` where the account holds too little. */
  async createCanister(order: CreationOrder): Promise<Creation> {
    const { createdAt, amount, controllers, subnet } = order;
    const selection = subnet === undefined ? [] : [{ Subnet: { subnet: idOf(subnet) } }];
    const args = {
      from_subaccount: [],
      created_at_time: [createdAt],
      amount,
      creation_args: [
        {
          subnet_selection: selection,
          settings: [{ controllers: [controllers.map(idOf)] }],
        },
      ],
    };
    const arg = IDL.encode(types.createArgs, [args]);
    const reply = await this.transport.update(cyclesLedgerId, 'create_canister', arg);
    const [answer] = IDL.decode(types.createReply, reply) as unknown as [CreateAnswer];
    if (answer.Ok) return { kind: 'created', canister: answer.Ok.canister_id.toText() };
    const { Duplicate: duplicate, ...errors } = answer.Err!;
    if (duplicate) {
      const [canister] = duplicate.canister_id;
      return canister ? { kind: 'created', canister: canister.toText() } : { kind: 'known' };
    }
    if (errors.FailedToCreate) return { kind: 'failed', reason: errors.FailedToCreate.error };
    if (errors.CreatedInFuture) {
      return { kind: 'too-early', ledgerTime: errors.CreatedInFuture.ledger_time };
    }
    if ('TooOld' in errors) return { kind: 'too-old' };
    throw await this.refusal(errors, amount);
  }

  /** Sends a canister cycles, once for each `createdAt`, so that it may be tried again. Code `no-cycles` where the account holds too little. */
  async topUp(canister: string, amount: bigint, createdAt: bigint): Promise<void> {
    const args = {
      amount,
      from_subaccount: [],
      to: idOf(canister),
      created_at_time: [createdAt],
    };
    const arg = IDL.encode(types.withdrawArgs, [args]);
    const reply = await retry(`topping up ${canister}`, () =>
      this.transport.update(cyclesLedgerId, 'withdraw', arg),
    );
    const [answer] = IDL.decode(types.withdrawReply, reply) as unknown as [
      { Err?: types.LedgerErrors & { Duplicate?: object } },
    ];
    if (!answer.Err || answer.Err.Duplicate) return;
    throw await this.refusal(answer.Err, amount);
  }

  /** Throws `no-cycles` where the caller holds less than `total`. */
  async requireBalance(total: bigint, what: string): Promise<void> {
    const balance = await this.balance();
    if (balance >= total) return;
    throw await this.tooLittle(balance, total, what);
  }

  private async refusal(errors: types.LedgerErrors, amount: bigint): Promise<CanopyError> {
    if (errors.InsufficientFunds) {
      const total = amount + (await this.fee());
      return this.tooLittle(errors.InsufficientFunds.balance, total, 'this');
    }
    if ('TemporarilyUnavailable' in errors) {
      return new CanopyError('rejected', 'the cycles ledger is busy: try again later', true);
    }
    const { FailedToWithdraw: failed, GenericError: generic, CreatedInFuture: future } = errors;
    const reason =
      failed?.rejection_reason ??
      generic?.message ??
      (future || 'TooOld' in errors
        ? 'the clock of this machine is wrong'
        : Object.keys(errors).join());
    return new CanopyError('rejected', `the cycles ledger refuses: ${reason}`);
  }

  private async tooLittle(balance: bigint, total: bigint, what: string): Promise<CanopyError> {
    const principal = await this.transport.principal();
    return new CanopyError(
      'no-cycles',
      `${what} takes ${trillions(total)} cycles, and the account of ${principal} at the cycles ledger holds ` +
        `${trillions(balance)}: "icp cycles mint" makes cycles of ICP, "icp cycles transfer" sends some there`,
    );
  }
}

interface CreateAnswer {
  Ok?: { canister_id: Principal };
  Err?: types.LedgerErrors & { Duplicate?: { canister_id: [] | [Principal] } };
}

function idOf(text: string): Principal {
  return Principal.fromText(text);
}

/** Whether the network has a cycles ledger; one of one's own may have none, mainnet has one. */
export async function hasCyclesLedger(transport: Transport): Promise<boolean> {
  try {
    await new CyclesLedgerClient(transport).fee();
    return true;
  } catch (error) {
    if (isMissing(error) && (await transport.isLocal?.()) === true) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof CallRejected) return error.rejectCode === 3 || /not found/i.test(text);
  // What an HTTP endpoint answers for ids that no subnet has.
  return /canister_not_found|does not belong to any subnet/.test(text);
}

/** Cycles for people: `1.234 T`, of at most three digits behind the point. */
export function trillions(cycles: bigint): string {
  const thousandths = (cycles + 500_000_000n) / 1_000_000_000n;
  const text = `${String(thousandths / 1000n)}.${String(thousandths % 1000n).padStart(3, '0')}`;
  return `${text.replace(/\.?0+$/, '')} T`;
}
