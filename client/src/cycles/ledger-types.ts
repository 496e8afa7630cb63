/** Candid of the methods of the cycles ledger and the cycles minting canister that are called. */
import { IDL } from '@dfinity/candid';

const blob = IDL.Vec(IDL.Nat8);
const account = IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(blob) });
export const balanceArgs = [account];
export const natReply = [IDL.Nat];
export const subnetsReply = [IDL.Vec(IDL.Principal)];

/** Of the settings of a canister, those that are set. */
const settings = IDL.Record({ controllers: IDL.Opt(IDL.Vec(IDL.Principal)) });
const subnetSelection = IDL.Variant({
  Subnet: IDL.Record({ subnet: IDL.Principal }),
  Filter: IDL.Record({ subnet_type: IDL.Opt(IDL.Text) }),
});
export const createArgs = [
  IDL.Record({
    from_subaccount: IDL.Opt(blob),
    created_at_time: IDL.Opt(IDL.Nat64),
    amount: IDL.Nat,
    creation_args: IDL.Opt(
      IDL.Record({
        subnet_selection: IDL.Opt(subnetSelection),
        settings: IDL.Opt(settings),
      }),
    ),
  }),
];
const commonErrors = {
  GenericError: IDL.Record({ message: IDL.Text, error_code: IDL.Nat }),
  TemporarilyUnavailable: IDL.Null,
  CreatedInFuture: IDL.Record({ ledger_time: IDL.Nat64 }),
  TooOld: IDL.Null,
  InsufficientFunds: IDL.Record({ balance: IDL.Nat }),
};
export const createReply = [
  IDL.Variant({
    Ok: IDL.Record({ block_id: IDL.Nat, canister_id: IDL.Principal }),
    Err: IDL.Variant({
      ...commonErrors,
      Duplicate: IDL.Record({ duplicate_of: IDL.Nat, canister_id: IDL.Opt(IDL.Principal) }),
      FailedToCreate: IDL.Record({
        fee_block: IDL.Opt(IDL.Nat),
        refund_block: IDL.Opt(IDL.Nat),
        error: IDL.Text,
      }),
    }),
  }),
];

export const withdrawArgs = [
  IDL.Record({
    amount: IDL.Nat,
    from_subaccount: IDL.Opt(blob),
    to: IDL.Principal,
    created_at_time: IDL.Opt(IDL.Nat64),
  }),
];
const rejectionCode = IDL.Variant({
  NoError: IDL.Null,
  CanisterError: IDL.Null,
  SysTransient: IDL.Null,
  DestinationInvalid: IDL.Null,
  Unknown: IDL.Null,
  SysFatal: IDL.Null,
  CanisterReject: IDL.Null,
});
export const withdrawReply = [
  IDL.Variant({
    Ok: IDL.Nat,
    Err: IDL.Variant({
      ...commonErrors,
      Duplicate: IDL.Record({ duplicate_of: IDL.Nat }),
      BadFee: IDL.Record({ expected_fee: IDL.Nat }),
      InvalidReceiver: IDL.Record({ receiver: IDL.Principal }),
      FailedToWithdraw: IDL.Record({
        fee_block: IDL.Opt(IDL.Nat),
        rejection_code: rejectionCode,
        rejection_reason: IDL.Text,
      }),
    }),
  }),
];

/** What the cycles ledger may answer instead of having done it. */
export interface LedgerErrors {
  GenericError?: { message: string };
  TemporarilyUnavailable?: null;
  CreatedInFuture?: { ledger_time: bigint };
  TooOld?: null;
  InsufficientFunds?: { balance: bigint };
  BadFee?: object;
  InvalidReceiver?: object;
  FailedToWithdraw?: { rejection_reason: string };
  FailedToCreate?: { error: string };
}
