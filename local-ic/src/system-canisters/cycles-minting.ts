import {
  blob,
  nat,
  nat64,
  nul,
  opt,
  principal,
  record,
  text,
  variant,
  vec,
  type ValueOf,
} from '../management/candid/index.js';
import { idKey, sameId } from '../principal.js';
import { accountIdentifier, subaccountOfPrincipal, type Holder } from './accounts.js';
import {
  defaultSubnets,
  subnetSelection,
  typedSubnets,
  type CanisterCreator,
  type CreationArgs,
} from './creation.js';
import type { CyclesLedger } from './cycles-ledger.js';
import type { SystemHost } from './host.js';
import { canisterSettings } from '../management/types.js';
import { ICP_FEE, type IcpLedger } from './icp-ledger.js';
import { resultOf } from './icrc-types.js';
import { cyclesMintingId } from './ids.js';
import { getter, method, MethodTable, type MethodCall } from './methods.js';
import type { Block } from './token.js';

/** One ICP is worth 3.52 XDR here, in ten-thousandths: so an e8 is worth as many cycles. */
export const XDR_PERMYRIAD_PER_ICP = 35_200n;

const memos = { create: 0x41455243n, topUp: 0x50555054n, mint: 0x544e494dn } as const;
type Purpose = keyof typeof memos;
/** Fees that a refund takes, by what was asked for. */
const refundFees: Record<Purpose, bigint> = {
  create: 4n * ICP_FEE,
  topUp: 2n * ICP_FEE,
  mint: 2n * ICP_FEE,
};

const notifyError = variant({
  Refunded: record({ reason: text, block_index: opt(nat64) }),
  Processing: nul,
  TransactionTooOld: nat64,
  InvalidTransaction: text,
  Other: record({ error_code: nat64, error_message: text }),
});
type NotifyError = ValueOf<typeof notifyError>;

const createArgs = record({
  settings: opt(canisterSettings),
  subnet_type: opt(text),
  subnet_selection: opt(subnetSelection),
});
const createReply = resultOf(
  principal,
  variant({ Refunded: record({ refund_amount: nat, create_error: text }) }),
);
const notifyCreateArgs = record({
  block_index: nat64,
  controller: principal,
  subnet_type: opt(text),
  subnet_selection: opt(subnetSelection),
  settings: opt(canisterSettings),
});
const notifyCreateReply = resultOf(principal, notifyError);
const notifyTopUpArgs = record({ block_index: nat64, canister_id: principal });
const notifyTopUpReply = resultOf(nat, notifyError);
export const notifyMintArgs = record({
  block_index: nat64,
  to_subaccount: opt(blob),
  deposit_memo: opt(blob),
});
const minted = record({ block_index: nat, minted: nat, balance: nat });
export const notifyMintReply = resultOf(minted, notifyError);
const rateReply = record({
  data: record({ timestamp_seconds: nat64, xdr_permyriad_per_icp: nat64 }),
  hash_tree: blob,
  certificate: blob,
});

/** What became of a payment in ICP: it is used once. */
type Notified =
  | { readonly purpose: Purpose; readonly Ok: unknown }
  | { readonly purpose: Purpose; readonly Err: NotifyError };

/** Stand-in for the cycles minting canister: makes cycles of ICP, and canisters of cycles. */
export class CyclesMinting {
  readonly #notified = new Map<bigint, Notified>();

  constructor(
    private readonly host: SystemHost,
    private readonly creator: CanisterCreator,
    private readonly icp: IcpLedger,
    private readonly cyclesLedger: CyclesLedger,
  ) {}

  methods(): MethodTable {
    return new MethodTable({
      get_default_subnets: getter(vec(principal), () =>
        defaultSubnets(this.host).map(({ id }) => id),
      ),
      get_subnet_types_to_subnets: getter(
        record({ data: vec(record({ 0: text, 1: vec(principal) })) }),
        () => ({
          data: typedSubnets(this.host).map(({ type, subnets }) => ({
            0: type,
            1: subnets.map(({ id }) => id),
          })),
        }),
      ),
      get_icp_xdr_conversion_rate: getter(rateReply, ({ timeNs }) => ({
        data: {
          timestamp_seconds: timeNs / 1_000_000_000n,
          xdr_permyriad_per_icp: XDR_PERMYRIAD_PER_ICP,
        },
        hash_tree: new Uint8Array(0),
        certificate: new Uint8Array(0),
      })),
      create_canister: method('update', createArgs, createReply, (args, call) =>
        this.#create(args, call),
      ),
      notify_create_canister: method('update', notifyCreateArgs, notifyCreateReply, (args, call) =>
        this.#notifyCreate(args, call),
      ),
      notify_top_up: method('update', notifyTopUpArgs, notifyTopUpReply, (args) =>
        this.#notifyTopUp(args),
      ),
      notify_mint_cycles: method('update', notifyMintArgs, notifyMintReply, (args, call) =>
        this.#notifyMint(args, call),
      ),
    });
  }

  #create(args: ValueOf<typeof createArgs>, call: MethodCall): ValueOf<typeof createReply> {
    const made = this.creator.create(call.caller, call.cycles, selectionOf(args));
    if ('canisterId' in made) {
      // The cycles are on the new canister, not on this one.
      call.passOn(call.cycles);
      return { Ok: made.canisterId };
    }
    call.passOn(call.cycles - made.refund);
    return { Err: { Refunded: { refund_amount: made.refund, create_error: made.error } } };
  }

  #notifyCreate(
    args: ValueOf<typeof notifyCreateArgs>,
    call: MethodCall,
  ): ValueOf<typeof notifyCreateReply> {
    if (!sameId(args.controller, call.caller)) {
      return { Err: invalid('The controller of a new canister notifies of the payment for it.') };
    }
    return this.#process('create', args.block_index, args.controller, (cycles) => {
      const made = this.creator.create(args.controller, cycles, selectionOf(args));
      return 'canisterId' in made ? { Ok: made.canisterId } : { failure: made.error };
    });
  }

  #notifyTopUp({
    block_index,
    canister_id,
  }: ValueOf<typeof notifyTopUpArgs>): ValueOf<typeof notifyTopUpReply> {
    return this.#process('topUp', block_index, canister_id, (cycles) => {
      const error = this.host.deposit(canister_id, cycles);
      return error ? { failure: error.message } : { Ok: cycles };
    });
  }

  #notifyMint(
    args: ValueOf<typeof notifyMintArgs>,
    call: MethodCall,
  ): ValueOf<typeof notifyMintReply> {
    const account = { owner: call.caller, subaccount: args.to_subaccount };
    return this.#process('mint', args.block_index, call.caller, (cycles) => {
      const credited = this.cyclesLedger.mint(account, cycles);
      if (credited === undefined) return { failure: 'It is worth less than the ledger’s fee.' };
      const { block, balance } = credited;
      return { Ok: { block_index: block, minted: cycles, balance } };
    });
  }

  /** Uses a payment in ICP once: what it came to is the answer to later calls, too. */
  #process<R>(
    purpose: Purpose,
    index: bigint,
    payer: Uint8Array,
    use: (cycles: bigint) => { readonly Ok: R } | { readonly failure: string },
  ): { Ok: R } | { Err: NotifyError } {
    const before = this.#notified.get(index);
    if (before) {
      if (before.purpose !== purpose) return { Err: invalid('The payment was used otherwise.') };
      return 'Ok' in before ? { Ok: before.Ok as R } : { Err: before.Err };
    }
    const payment = this.#payment(purpose, index, payer);
    if (typeof payment === 'string') return { Err: invalid(payment) };
    const account = payment.to!;
    const { book } = this.icp.token;
    const used = use(payment.amount * XDR_PERMYRIAD_PER_ICP);
    book.debit(account, payment.amount);
    if ('Ok' in used) {
      this.#notified.set(index, { purpose, Ok: used.Ok });
      return { Ok: used.Ok };
    }
    const fees = refundFees[purpose];
    let block_index: bigint | undefined;
    if (payment.amount > fees) {
      const amount = payment.amount - fees;
      book.credit(payment.from!, amount);
      const { from } = payment;
      block_index = this.icp.token.note({
        kind: 'transfer',
        from: account,
        to: from,
        amount,
        memo: undefined,
      });
    }
    const Err = { Refunded: { reason: used.failure, block_index } };
    this.#notified.set(index, { purpose, Err });
    return { Err };
  }

  /** The payment in a block of the ICP ledger; a text where it is none for this purpose. */
  #payment(purpose: Purpose, index: bigint, payer: Uint8Array): Block | string {
    const block = this.icp.token.blocks[Number(index)];
    if (block?.kind !== 'transfer') return `Block ${index} of the ICP ledger is no transfer.`;
    if (block.to?.key !== accountFor(payer).key) {
      return `Block ${index} of the ICP ledger is no payment to the account of this principal here.`;
    }
    const memo = block.memo instanceof Uint8Array ? readMemo(block.memo) : block.memo;
    return memo === memos[purpose]
      ? block
      : `The memo of block ${index} is ${memo ?? 'missing'}, not ${memos[purpose]}.`;
  }
}

/** The account of the cycles minting canister that takes a principal's payments. */
function accountFor(payer: Uint8Array): Holder {
  const identifier = accountIdentifier(cyclesMintingId, subaccountOfPrincipal(payer));
  return { key: idKey(identifier), endowed: false };
}

/** A memo of the token standard holds the number in 8 bytes, little-endian. */
function readMemo(memo: Uint8Array): bigint | undefined {
  return memo.length === 8 ? Buffer.from(memo).readBigUInt64LE(0) : undefined;
}

function invalid(text: string): NotifyError {
  return { InvalidTransaction: text };
}

/** The older field `subnet_type` means a choice among the subnets of that type. */
function selectionOf(args: CreationArgs & { subnet_type: string | undefined }): CreationArgs {
  const { settings, subnet_type, subnet_selection } = args;
  return {
    settings,
    subnet_selection:
      subnet_selection ?? (subnet_type === undefined ? undefined : { Filter: { subnet_type } }),
  };
}
