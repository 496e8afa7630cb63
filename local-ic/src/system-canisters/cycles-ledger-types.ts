/** Records of the cycles ledger's own methods (cycles-ledger.did). */
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
  type ValueOf,
} from '../management/candid/index.js';
import { accountType } from './accounts.js';
import { creationArgs } from './creation.js';
import { commonErrors, insufficientAllowance, resultOf } from './icrc-types.js';

const rejectionCode = variant({
  NoError: nul,
  CanisterError: nul,
  SysTransient: nul,
  DestinationInvalid: nul,
  Unknown: nul,
  SysFatal: nul,
  CanisterReject: nul,
});
export type RejectionCode = ValueOf<typeof rejectionCode>;
/** By the number of the reject code. */
export const rejectionCodes: readonly RejectionCode[] = [
  { NoError: null },
  { SysFatal: null },
  { SysTransient: null },
  { DestinationInvalid: null },
  { CanisterReject: null },
  { CanisterError: null },
];

export const depositArgs = record({ to: accountType, memo: opt(blob) });
export const depositReply = record({ balance: nat, block_index: nat });

export const withdrawArgs = record({
  amount: nat,
  from_subaccount: opt(blob),
  to: principal,
  created_at_time: opt(nat64),
});
const withdrawErrors = {
  ...commonErrors,
  BadFee: record({ expected_fee: nat }),
  InvalidReceiver: record({ receiver: principal }),
} as const;
export const withdrawReply = resultOf(
  nat,
  variant({
    ...withdrawErrors,
    FailedToWithdraw: record({
      fee_block: opt(nat),
      rejection_code: rejectionCode,
      rejection_reason: text,
    }),
  }),
);
export const withdrawFromArgs = record({
  spender_subaccount: opt(blob),
  from: accountType,
  to: principal,
  amount: nat,
  created_at_time: opt(nat64),
});
export const withdrawFromReply = resultOf(
  nat,
  variant({
    ...withdrawErrors,
    InsufficientAllowance: insufficientAllowance,
    FailedToWithdrawFrom: record({
      withdraw_from_block: opt(nat),
      refund_block: opt(nat),
      approval_refund_block: opt(nat),
      rejection_code: rejectionCode,
      rejection_reason: text,
    }),
  }),
);

export const createArgs = record({
  from_subaccount: opt(blob),
  created_at_time: opt(nat64),
  amount: nat,
  creation_args: opt(creationArgs),
});
export const created = record({ block_id: nat, canister_id: principal });
const createErrors = {
  ...commonErrors,
  Duplicate: record({ duplicate_of: nat, canister_id: opt(principal) }),
} as const;
export const createReply = resultOf(
  created,
  variant({
    ...createErrors,
    FailedToCreate: record({ fee_block: opt(nat), refund_block: opt(nat), error: text }),
  }),
);
export const createFromArgs = record({
  from: accountType,
  spender_subaccount: opt(blob),
  created_at_time: opt(nat64),
  amount: nat,
  creation_args: opt(creationArgs),
});
export const createFromReply = resultOf(
  created,
  variant({
    ...createErrors,
    InsufficientAllowance: insufficientAllowance,
    FailedToCreateFrom: record({
      create_from_block: opt(nat),
      refund_block: opt(nat),
      approval_refund_block: opt(nat),
      rejection_code: rejectionCode,
      rejection_reason: text,
    }),
  }),
);
