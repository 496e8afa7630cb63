import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { cyclesLedgerId } from '../cycles/ledger.js';
import { CallRejected, CanopyError } from '../errors.js';
import type { Transport } from '../transport/transport.js';
import { canisterArgument } from './canister-status.js';

/** What a manifest says of a canister that may hold the module which sends its cycles back. */
export const givesBack = 'gives its cycles back';

const blob = IDL.Vec(IDL.Nat8);
const account = IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(blob) });
const depositArgs = [IDL.Record({ to: account, memo: IDL.Opt(blob) })];
const settingsArgs = [
  IDL.Record({
    canister_id: IDL.Principal,
    settings: IDL.Record({ freezing_threshold: IDL.Opt(IDL.Nat) }),
  }),
];

/**
 * Puts `module` in the place of what a canister holds, and has it send its cycles to the caller's account at the
 * cycles ledger. About 82 B stay: what a canister sets aside for the message and the call that send the rest. Does nothing where the
 * canister has too few to do that.
 */
export async function giveBack(
  transport: Transport,
  canister: string,
  module: Uint8Array,
): Promise<void> {
  if (!transport.manage) {
    throw new CanopyError('rejected', 'cycles cannot be sent over this way to the IC');
  }
  const id = Principal.fromText(canister);
  // Without a threshold all but the price of the call may leave.
  const settings = { canister_id: id, settings: { freezing_threshold: [0n] } };
  await transport.manage('update_settings', IDL.encode(settingsArgs, [settings]), canister);
  const owner = Principal.fromText(await transport.principal());
  const deposit = IDL.encode(depositArgs, [{ to: { owner, subaccount: [] }, memo: [] }]);
  const ledger = Principal.fromText(cyclesLedgerId).toUint8Array();
  try {
    await transport.installCode({ canister, module, mode: 'reinstall' });
    await transport.manage('start_canister', canisterArgument(canister), canister);
    const argument = Uint8Array.from([ledger.length, ...ledger, ...deposit]);
    await transport.update(canister, 'give_back', argument);
  } catch (error) {
    if (!isTooPoor(error)) throw error;
  }
}

/** Whether a canister cannot pay for it: its own refusal, or the replica's. */
function isTooPoor(error: unknown): boolean {
  if (!(error instanceof CallRejected)) return false;
  return error.message === 'no' || /out of cycles|insufficient cycles/i.test(error.message);
}
