import { nat, nat8, opt, text, type ValueOf } from '../management/candid/index.js';
import { accountType, holderOf, type Account, type Holder } from './accounts.js';
import type { Book } from './book.js';
import {
  allowanceArgs,
  allowanceReply,
  approveArgs,
  approveError,
  metadataReply,
  resultOf,
  standardsReply,
  transferArgs,
  transferError,
  transferFromArgs,
  transferFromError,
  type ApproveArgs,
  type TransferArgs,
  type TransferFromArgs,
} from './icrc-types.js';
import { getter, method, type MethodCall } from './methods.js';
import { RecentTransactions, transactionKey } from './recent.js';

const MEMO_BYTES = 32;

/** What a token is called and costs. */
export interface TokenTraits {
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  /** What a transaction costs; the fee is burned. */
  readonly fee: bigint;
}

/** A transaction as the ledger keeps it. */
export interface Block {
  readonly kind: 'transfer' | 'approve' | 'mint' | 'burn';
  readonly from: Holder | undefined;
  readonly to: Holder | undefined;
  readonly amount: bigint;
  readonly memo: Uint8Array | bigint | undefined;
}

interface Allowance {
  readonly amount: bigint;
  readonly expiresAt: bigint | undefined;
}

type TransferResult = ValueOf<typeof transferResult>;
type TransferFromResult = ValueOf<typeof transferFromResult>;
type ApproveResult = ValueOf<typeof approveResult>;
const transferResult = resultOf(nat, transferError);
const transferFromResult = resultOf(nat, transferFromError);
const approveResult = resultOf(nat, approveError);

/** A ledger of one token after the standards ICRC-1 and ICRC-2. */
export class Token {
  readonly blocks: Block[] = [];
  readonly recent = new RecentTransactions<bigint>();
  readonly #allowances = new Map<string, Allowance>();

  constructor(
    readonly traits: TokenTraits,
    readonly book: Book,
  ) {}

  /** Adds a block; gives its number. */
  note(block: Block): bigint {
    return BigInt(this.blocks.push(block) - 1);
  }

  /** What a spender may still take from an account. */
  allowance(from: Holder, spender: Holder, nowNs: bigint): Allowance {
    const found = this.#allowances.get(pairKey(from, spender));
    const expired = found?.expiresAt !== undefined && found.expiresAt <= nowNs;
    return found === undefined || expired ? { amount: 0n, expiresAt: undefined } : found;
  }

  /** Takes an amount off an allowance that holds it, or gives it back when it is negative. */
  useAllowance(from: Holder, spender: Holder, amount: bigint, nowNs: bigint): void {
    const { amount: before, expiresAt } = this.allowance(from, spender, nowNs);
    this.#setAllowance(from, spender, { amount: before - amount, expiresAt });
  }

  #setAllowance(from: Holder, spender: Holder, allowance: Allowance): void {
    const key = pairKey(from, spender);
    if (allowance.amount === 0n) this.#allowances.delete(key);
    else this.#allowances.set(key, allowance);
  }

  transfer(args: TransferArgs, call: MethodCall): TransferResult {
    const from = holderOf({ owner: call.caller, subaccount: args.from_subaccount });
    const to = holderOf(args.to);
    const key = transactionKey(call.caller, 'transfer', args);
    const refused = this.#refuse(args, call, key);
    if (refused) return { Err: refused };
    const balance = this.book.balanceOf(from);
    if (balance < args.amount + this.traits.fee) return { Err: { InsufficientFunds: { balance } } };
    return { Ok: this.#move(from, to, args, call, key) };
  }

  transferFrom(args: TransferFromArgs, call: MethodCall): TransferFromResult {
    const spender = holderOf({ owner: call.caller, subaccount: args.spender_subaccount });
    const from = holderOf(args.from);
    const to = holderOf(args.to);
    const key = transactionKey(call.caller, 'transfer_from', args);
    const refused = this.#refuse(args, call, key);
    if (refused) return { Err: refused };
    const total = args.amount + this.traits.fee;
    const own = spender.key === from.key;
    const { amount: allowance } = this.allowance(from, spender, call.timeNs);
    if (!own && allowance < total) return { Err: { InsufficientAllowance: { allowance } } };
    const balance = this.book.balanceOf(from);
    if (balance < total) return { Err: { InsufficientFunds: { balance } } };
    if (!own) this.useAllowance(from, spender, total, call.timeNs);
    return { Ok: this.#move(from, to, args, call, key) };
  }

  approve(args: ApproveArgs, call: MethodCall): ApproveResult {
    const from = holderOf({ owner: call.caller, subaccount: args.from_subaccount });
    const spender = holderOf(args.spender);
    const key = transactionKey(call.caller, 'approve', args);
    if (spender.key === from.key) return { Err: generic('an account cannot approve itself') };
    const refused = this.#refuse(args, call, key);
    if (refused) return { Err: refused };
    const { fee } = this.traits;
    if (args.expires_at !== undefined && args.expires_at <= call.timeNs) {
      return { Err: { Expired: { ledger_time: call.timeNs } } };
    }
    const { amount: current } = this.allowance(from, spender, call.timeNs);
    if (args.expected_allowance !== undefined && args.expected_allowance !== current) {
      return { Err: { AllowanceChanged: { current_allowance: current } } };
    }
    const balance = this.book.balanceOf(from);
    if (balance < fee) return { Err: { InsufficientFunds: { balance } } };
    this.book.debit(from, fee);
    this.#setAllowance(from, spender, { amount: args.amount, expiresAt: args.expires_at });
    const { amount, memo } = args;
    const index = this.note({ kind: 'approve', from, to: spender, amount, memo });
    this.recent.note(args.created_at_time, call.timeNs, key, index);
    return { Ok: index };
  }

  #refuse(
    args: Pick<TransferArgs, 'fee' | 'memo' | 'created_at_time'>,
    { timeNs }: MethodCall,
    key: string,
  ) {
    const { fee } = this.traits;
    if (args.fee !== undefined && args.fee !== fee) return { BadFee: { expected_fee: fee } };
    if (args.memo !== undefined && args.memo.length > MEMO_BYTES) {
      return generic(`a memo has at most ${MEMO_BYTES} bytes, not ${args.memo.length}`);
    }
    const refusal = this.recent.refusal(args.created_at_time, timeNs);
    if (refusal) return refusal;
    const duplicate_of = this.recent.find(args.created_at_time, key);
    return duplicate_of === undefined ? undefined : { Duplicate: { duplicate_of } };
  }

  #move(
    from: Holder,
    to: Holder,
    { amount, memo, created_at_time }: Pick<TransferArgs, 'amount' | 'memo' | 'created_at_time'>,
    call: MethodCall,
    key: string,
  ): bigint {
    this.book.debit(from, amount + this.traits.fee);
    this.book.credit(to, amount);
    const index = this.note({ kind: 'transfer', from, to, amount, memo });
    this.recent.note(created_at_time, call.timeNs, key, index);
    return index;
  }
}

function pairKey(from: Holder, spender: Holder): string {
  return `${from.key} ${spender.key}`;
}

export function generic(message: string) {
  return { GenericError: { message, error_code: 0n } };
}

/** The methods of ICRC-1 and ICRC-2. */
export function tokenMethods(token: Token) {
  const { name, symbol, decimals, fee } = token.traits;
  const balance = (account: Account): bigint => token.book.balanceOf(holderOf(account));
  return {
    icrc1_name: getter(text, () => name),
    icrc1_symbol: getter(text, () => symbol),
    icrc1_decimals: getter(nat8, () => decimals),
    icrc1_fee: getter(nat, () => fee),
    icrc1_total_supply: getter(nat, () => token.book.supply),
    icrc1_minting_account: getter(opt(accountType), () => undefined),
    icrc1_balance_of: method('query', accountType, nat, balance),
    icrc1_metadata: getter(metadataReply, () => [
      { 0: 'icrc1:name', 1: { Text: name } },
      { 0: 'icrc1:symbol', 1: { Text: symbol } },
      { 0: 'icrc1:decimals', 1: { Nat: BigInt(decimals) } },
      { 0: 'icrc1:fee', 1: { Nat: fee } },
    ]),
    icrc1_supported_standards: getter(standardsReply, () =>
      ['ICRC-1', 'ICRC-2'].map((standard) => ({
        name: standard,
        url: `https://github.com/dfinity/ICRC-1/tree/main/standards/${standard}`,
      })),
    ),
    icrc1_transfer: method('update', transferArgs, transferResult, (args, call) =>
      token.transfer(args, call),
    ),
    icrc2_approve: method('update', approveArgs, approveResult, (args, call) =>
      token.approve(args, call),
    ),
    icrc2_transfer_from: method('update', transferFromArgs, transferFromResult, (args, call) =>
      token.transferFrom(args, call),
    ),
    icrc2_allowance: method(
      'query',
      allowanceArgs,
      allowanceReply,
      ({ account, spender }, { timeNs }) => {
        const { amount, expiresAt } = token.allowance(holderOf(account), holderOf(spender), timeNs);
        return { allowance: amount, expires_at: expiresAt };
      },
    ),
  };
}
