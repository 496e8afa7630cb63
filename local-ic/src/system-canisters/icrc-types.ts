/** Records of the token standards ICRC-1 and ICRC-2. */
import {
  blob,
  nat,
  nat64,
  nul,
  opt,
  record,
  text,
  variant,
  vec,
  type Type,
  type ValueOf,
} from '../management/candid/index.js';
import { accountType } from './accounts.js';

/** `variant { Ok; Err }` */
export const resultOf = <O, E>(ok: Type<O>, error: Type<E>) => variant({ Ok: ok, Err: error });

const memo = opt(blob);
const time = opt(nat64);

export const transferArgs = record({
  from_subaccount: opt(blob),
  to: accountType,
  amount: nat,
  fee: opt(nat),
  memo,
  created_at_time: time,
});
export type TransferArgs = ValueOf<typeof transferArgs>;

export const transferFromArgs = record({
  spender_subaccount: opt(blob),
  from: accountType,
  to: accountType,
  amount: nat,
  fee: opt(nat),
  memo,
  created_at_time: time,
});
export type TransferFromArgs = ValueOf<typeof transferFromArgs>;

export const approveArgs = record({
  from_subaccount: opt(blob),
  spender: accountType,
  amount: nat,
  expected_allowance: opt(nat),
  expires_at: opt(nat64),
  fee: opt(nat),
  memo,
  created_at_time: time,
});
export type ApproveArgs = ValueOf<typeof approveArgs>;

/** Cases that all errors of transactions have. */
export const commonErrors = {
  GenericError: record({ message: text, error_code: nat }),
  TemporarilyUnavailable: nul,
  Duplicate: record({ duplicate_of: nat }),
  CreatedInFuture: record({ ledger_time: nat64 }),
  TooOld: nul,
  InsufficientFunds: record({ balance: nat }),
} as const;

const badFee = record({ expected_fee: nat });
const badBurn = record({ min_burn_amount: nat });
export const insufficientAllowance = record({ allowance: nat });

export const transferError = variant({ ...commonErrors, BadFee: badFee, BadBurn: badBurn });
export const transferFromError = variant({
  ...commonErrors,
  BadFee: badFee,
  BadBurn: badBurn,
  InsufficientAllowance: insufficientAllowance,
});
export const approveError = variant({
  ...commonErrors,
  BadFee: badFee,
  AllowanceChanged: record({ current_allowance: nat }),
  Expired: record({ ledger_time: nat64 }),
});

export const allowanceArgs = record({ account: accountType, spender: accountType });
export const allowanceReply = record({ allowance: nat, expires_at: opt(nat64) });

export const standardsReply = vec(record({ name: text, url: text }));
export const metadataReply = vec(record({ 0: text, 1: variant({ Nat: nat, Text: text }) }));
