import type { UserError } from '../errors.js';
import type { ValueOf } from '../management/candid/index.js';
import { canisterNumber } from '../principal.js';
import { holderOf, type Account, type Holder } from './accounts.js';
import { Book } from './book.js';
import type { CanisterCreator, CreationArgs } from './creation.js';
import * as types from './cycles-ledger-types.js';
import type { SystemHost, Vault } from './host.js';
import { method, MethodTable, trap, type MethodCall } from './methods.js';
import { RecentTransactions, transactionKey, type TimeRefusal } from './recent.js';
import { Token, tokenMethods } from './token.js';

/** Cycles that each person's account holds at first: 10,000 T. */
export const CYCLES_ENDOWMENT = 10_000_000_000_000_000n;
const FEE = 100_000_000n;

/** Who pays, and by whose leave. */
interface Payment {
  readonly from: Holder;
  /** Set where somebody else spends. */
  readonly spender: Holder | undefined;
  readonly amount: bigint;
  readonly createdAt: bigint | undefined;
  readonly key: string;
}

/** Why a payment is not made. */
type Refusal =
  | TimeRefusal
  | {
      readonly Duplicate: {
        readonly duplicate_of: bigint;
        readonly canister_id: Uint8Array | undefined;
      };
    }
  | { readonly InsufficientFunds: { readonly balance: bigint } };

/** A payment that came to nothing. */
interface Failure {
  readonly taken: bigint;
  readonly refundBlock: bigint | undefined;
}

interface Made {
  readonly block: bigint;
  readonly canisterId?: Uint8Array;
}

/**
 * Stand-in for the cycles ledger: accounts of cycles that pay for new canisters and for top-ups. Its
 * own cycles are what its accounts hold and the fees that it took.
 */
export class CyclesLedger {
  readonly token: Token;
  readonly #made = new RecentTransactions<Made>();

  constructor(
    private readonly host: SystemHost,
    private readonly vault: Vault,
    private readonly creator: CanisterCreator,
  ) {
    const book = new Book(CYCLES_ENDOWMENT, (amount) => {
      vault.balance += amount;
    });
    const traits = { name: 'Trillion Cycles', symbol: 'TCYCLES', decimals: 12, fee: FEE };
    this.token = new Token(traits, book);
  }

  /** Credits cycles that come out of nothing, those that ICP was burned for, less the fee. */
  mint(to: Account, amount: bigint): { block: bigint; balance: bigint } | undefined {
    if (amount < FEE) return undefined;
    const holder = holderOf(to);
    this.vault.balance += amount;
    return this.#credit(holder, amount - FEE);
  }

  methods(): MethodTable {
    return new MethodTable({
      ...tokenMethods(this.token),
      deposit: method('update', types.depositArgs, types.depositReply, (args, call) =>
        this.#deposit(args, call),
      ),
      withdraw: method('update', types.withdrawArgs, types.withdrawReply, (args, call) =>
        this.#withdraw(args, call),
      ),
      withdraw_from: method(
        'update',
        types.withdrawFromArgs,
        types.withdrawFromReply,
        (args, call) => this.#withdrawFrom(args, call),
      ),
      create_canister: method('update', types.createArgs, types.createReply, (args, call) =>
        this.#create(args, call),
      ),
      create_canister_from: method(
        'update',
        types.createFromArgs,
        types.createFromReply,
        (args, call) => this.#createFrom(args, call),
      ),
    });
  }

  #credit(to: Holder, amount: bigint): { block: bigint; balance: bigint } {
    const { book } = this.token;
    book.credit(to, amount);
    const block = this.token.note({ kind: 'mint', from: undefined, to, amount, memo: undefined });
    return { block, balance: book.balanceOf(to) };
  }

  #deposit(
    { to }: ValueOf<typeof types.depositArgs>,
    call: MethodCall,
  ): ValueOf<typeof types.depositReply> {
    if (call.cycles < FEE) {
      throw trap(
        `The requested amount ${call.cycles} to be deposited is less than the cycles ledger fee: ${FEE}`,
      );
    }
    const holder = holderOf(to);
    call.accept(call.cycles);
    const { block, balance } = this.#credit(holder, call.cycles - FEE);
    return { balance, block_index: block };
  }

  /** Why a payment cannot be made; undefined when it can. */
  #refuse({ from, amount, createdAt, key }: Payment, { timeNs }: MethodCall): Refusal | undefined {
    const refusal = this.#made.refusal(createdAt, timeNs);
    if (refusal) return refusal;
    const made = this.#made.find(createdAt, key);
    if (made) return { Duplicate: { duplicate_of: made.block, canister_id: made.canisterId } };
    const balance = this.token.book.balanceOf(from);
    return balance < amount + FEE ? { InsufficientFunds: { balance } } : undefined;
  }

  /** Whether somebody else's leave to spend is too small. */
  #shortAllowance({ from, spender, amount }: Payment, { timeNs }: MethodCall) {
    if (spender === undefined) return undefined;
    const { amount: allowance } = this.token.allowance(from, spender, timeNs);
    return allowance < amount + FEE ? { InsufficientAllowance: { allowance } } : undefined;
  }

  /** Takes amount and fee; the amount leaves the ledger. */
  #take({ from, spender, amount }: Payment, { timeNs }: MethodCall): bigint {
    if (spender) this.token.useAllowance(from, spender, amount + FEE, timeNs);
    this.token.book.debit(from, amount + FEE);
    this.vault.balance -= amount;
    return this.token.note({ kind: 'burn', from, to: undefined, amount, memo: undefined });
  }

  /** Credits what came back, less a second fee; the leave to spend it comes back too. */
  #giveBack({ from, spender }: Payment, back: bigint, { timeNs }: MethodCall): bigint | undefined {
    this.vault.balance += back;
    if (back <= FEE) return undefined;
    if (spender) this.token.useAllowance(from, spender, FEE - back, timeNs);
    return this.#credit(from, back - FEE).block;
  }

  /** Sends cycles to a canister. */
  #send(
    payment: Payment,
    to: Uint8Array,
    call: MethodCall,
  ): { readonly block: bigint } | (Failure & { readonly error: UserError }) {
    const block = this.#take(payment, call);
    this.#made.note(payment.createdAt, call.timeNs, payment.key, { block });
    const error = this.host.deposit(to, payment.amount);
    if (error === undefined) return { block };
    return { error, taken: block, refundBlock: this.#giveBack(payment, payment.amount, call) };
  }

  /** Creates a canister; `owner` controls it unless the arguments say otherwise. */
  #createFor(
    payment: Payment,
    owner: Uint8Array,
    args: CreationArgs | undefined,
    call: MethodCall,
  ): ValueOf<typeof types.created> | (Failure & { readonly error: string }) {
    const block = this.#take(payment, call);
    const made = this.creator.create(
      owner,
      payment.amount,
      args ?? { subnet_selection: undefined, settings: undefined },
    );
    const failed = 'error' in made;
    this.#made.note(payment.createdAt, call.timeNs, payment.key, {
      block,
      ...(failed ? {} : { canisterId: made.canisterId }),
    });
    if (!failed) return { block_id: block, canister_id: made.canisterId };
    return {
      error: made.error,
      taken: block,
      refundBlock: this.#giveBack(payment, made.refund, call),
    };
  }

  #withdraw(
    args: ValueOf<typeof types.withdrawArgs>,
    call: MethodCall,
  ): ValueOf<typeof types.withdrawReply> {
    const payment = paymentOf(args, 'withdraw', call);
    const refusal = invalidReceiver(args.to) ?? this.#refuse(payment, call);
    if (refusal) return { Err: refusal };
    const sent = this.#send(payment, args.to, call);
    if ('block' in sent) return { Ok: sent.block };
    return { Err: { FailedToWithdraw: { fee_block: sent.refundBlock, ...rejection(sent.error) } } };
  }

  #withdrawFrom(
    args: ValueOf<typeof types.withdrawFromArgs>,
    call: MethodCall,
  ): ValueOf<typeof types.withdrawFromReply> {
    const payment = paymentFrom(args, 'withdraw_from', call);
    const refusal =
      invalidReceiver(args.to) ??
      this.#refuse(payment, call) ??
      this.#shortAllowance(payment, call);
    if (refusal) return { Err: refusal };
    const sent = this.#send(payment, args.to, call);
    if ('block' in sent) return { Ok: sent.block };
    return {
      Err: {
        FailedToWithdrawFrom: {
          withdraw_from_block: sent.taken,
          refund_block: sent.refundBlock,
          approval_refund_block: undefined,
          ...rejection(sent.error),
        },
      },
    };
  }

  #create(
    args: ValueOf<typeof types.createArgs>,
    call: MethodCall,
  ): ValueOf<typeof types.createReply> {
    const payment = paymentOf(args, 'create_canister', call);
    const refusal = this.#refuse(payment, call);
    if (refusal) return { Err: refusal };
    const made = this.#createFor(payment, call.caller, args.creation_args, call);
    if (!('error' in made)) return { Ok: made };
    const { error, refundBlock } = made;
    return { Err: { FailedToCreate: { error, refund_block: refundBlock, fee_block: undefined } } };
  }

  #createFrom(
    args: ValueOf<typeof types.createFromArgs>,
    call: MethodCall,
  ): ValueOf<typeof types.createFromReply> {
    const payment = paymentFrom(args, 'create_canister_from', call);
    const refusal = this.#refuse(payment, call) ?? this.#shortAllowance(payment, call);
    if (refusal) return { Err: refusal };
    const made = this.#createFor(payment, call.caller, args.creation_args, call);
    if (!('error' in made)) return { Ok: made };
    return {
      Err: {
        FailedToCreateFrom: {
          create_from_block: made.taken,
          refund_block: made.refundBlock,
          approval_refund_block: undefined,
          rejection_code: { CanisterError: null },
          rejection_reason: made.error,
        },
      },
    };
  }
}

/** A payment by the caller. */
function paymentOf(
  args: {
    readonly amount: bigint;
    readonly from_subaccount: Uint8Array | undefined;
    readonly created_at_time: bigint | undefined;
  },
  name: string,
  { caller }: MethodCall,
): Payment {
  return {
    from: holderOf({ owner: caller, subaccount: args.from_subaccount }),
    spender: undefined,
    amount: args.amount,
    createdAt: args.created_at_time,
    key: transactionKey(caller, name, args),
  };
}

/** A payment by the caller from somebody else's account; nobody needs leave to spend the own one. */
function paymentFrom(
  args: {
    readonly from: Account;
    readonly amount: bigint;
    readonly spender_subaccount: Uint8Array | undefined;
    readonly created_at_time: bigint | undefined;
  },
  name: string,
  { caller }: MethodCall,
): Payment {
  const from = holderOf(args.from);
  const spender = holderOf({ owner: caller, subaccount: args.spender_subaccount });
  return {
    from,
    spender: spender.key === from.key ? undefined : spender,
    amount: args.amount,
    createdAt: args.created_at_time,
    key: transactionKey(caller, name, args),
  };
}

/** Cycles go to canisters only. */
function invalidReceiver(to: Uint8Array) {
  return canisterNumber(to) === undefined ? { InvalidReceiver: { receiver: to } } : undefined;
}

function rejection(error: UserError): {
  rejection_code: types.RejectionCode;
  rejection_reason: string;
} {
  return {
    rejection_code: types.rejectionCodes[error.rejectCode] ?? { Unknown: null },
    rejection_reason: error.message,
  };
}
