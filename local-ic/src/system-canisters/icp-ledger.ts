import {
  blob,
  nat32,
  nat64,
  nul,
  opt,
  record,
  text,
  variant,
  type ValueOf,
} from '../management/candid/index.js';
import { idKey } from '../principal.js';
import {
  accountIdentifier,
  accountType,
  holderOf,
  subaccountBytes,
  type Holder,
} from './accounts.js';
import { Book } from './book.js';
import { resultOf } from './icrc-types.js';
import { getter, method, MethodTable, trap, type MethodCall } from './methods.js';
import { RecentTransactions, transactionKey } from './recent.js';
import { Token, tokenMethods } from './token.js';

/** What each person's account holds at first: 10,000 ICP, in e8s. */
export const ICP_ENDOWMENT = 1_000_000_000_000n;
/** What a transfer costs, in e8s. */
export const ICP_FEE = 10_000n;
const WINDOW_NS = 86_400_000_000_000n;

const tokens = record({ e8s: nat64 });
const transferArgs = record({
  memo: nat64,
  amount: tokens,
  fee: tokens,
  from_subaccount: opt(blob),
  to: blob,
  created_at_time: opt(record({ timestamp_nanos: nat64 })),
});
const transferReply = resultOf(
  nat64,
  variant({
    BadFee: record({ expected_fee: tokens }),
    InsufficientFunds: record({ balance: tokens }),
    TxTooOld: record({ allowed_window_nanos: nat64 }),
    TxCreatedInFuture: nul,
    TxDuplicate: record({ duplicate_of: nat64 }),
  }),
);

/** Stand-in for the ICP ledger: the token standards, and transfers by account identifiers. */
export class IcpLedger {
  readonly token = new Token(
    { name: 'Internet Computer', symbol: 'ICP', decimals: 8, fee: ICP_FEE },
    new Book(ICP_ENDOWMENT),
  );
  readonly #recent = new RecentTransactions<bigint>();

  methods(): MethodTable {
    return new MethodTable({
      ...tokenMethods(this.token),
      transfer: method('update', transferArgs, transferReply, (args, call) =>
        this.#transfer(args, call),
      ),
      account_balance: method('query', record({ account: blob }), tokens, ({ account }) => ({
        e8s: this.token.book.balanceOf(holderOfIdentifier(account)),
      })),
      account_identifier: method('query', accountType, blob, ({ owner, subaccount }) =>
        accountIdentifier(owner, subaccountBytes(subaccount)),
      ),
      transfer_fee: method('query', record({}), record({ transfer_fee: tokens }), () => ({
        transfer_fee: { e8s: ICP_FEE },
      })),
      symbol: getter(record({ symbol: text }), () => ({ symbol: 'ICP' })),
      name: getter(record({ name: text }), () => ({ name: 'Internet Computer' })),
      decimals: getter(record({ decimals: nat32 }), () => ({ decimals: 8 })),
    });
  }

  #transfer(args: ValueOf<typeof transferArgs>, call: MethodCall): ValueOf<typeof transferReply> {
    const from = holderOf({ owner: call.caller, subaccount: args.from_subaccount });
    const to = holderOfIdentifier(args.to);
    if (args.fee.e8s !== ICP_FEE) return { Err: { BadFee: { expected_fee: { e8s: ICP_FEE } } } };
    const createdAt = args.created_at_time?.timestamp_nanos;
    const refusal = this.#recent.refusal(createdAt, call.timeNs);
    if (refusal) {
      return 'TooOld' in refusal
        ? { Err: { TxTooOld: { allowed_window_nanos: WINDOW_NS } } }
        : { Err: { TxCreatedInFuture: null } };
    }
    const key = transactionKey(call.caller, 'transfer', args);
    const duplicate_of = this.#recent.find(createdAt, key);
    if (duplicate_of !== undefined) return { Err: { TxDuplicate: { duplicate_of } } };
    const { book } = this.token;
    const { e8s: amount } = args.amount;
    const balance = book.balanceOf(from);
    if (balance < amount + ICP_FEE)
      return { Err: { InsufficientFunds: { balance: { e8s: balance } } } };
    book.debit(from, amount + ICP_FEE);
    book.credit(to, amount);
    const block = this.token.note({ kind: 'transfer', from, to, amount, memo: args.memo });
    this.#recent.note(createdAt, call.timeNs, key, block);
    return { Ok: block };
  }
}

/**
 * The holder of an account identifier. It does not tell whose it is, so what the holder has from the
 * start is seen only once the account was used under its owner's name.
 */
function holderOfIdentifier(identifier: Uint8Array): Holder {
  const hash = accountHash(identifier);
  return { key: idKey(hash), endowed: false };
}

function accountHash(identifier: Uint8Array): Uint8Array {
  if (identifier.length === 32) return identifier;
  throw trap(`an account identifier has 32 bytes, not ${identifier.length}`);
}
