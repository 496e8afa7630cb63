import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import type { Canister } from '../state/index.js';

export { displayBytes, grouped } from '../state/index.js';

const documentation = 'https://internetcomputer.org/docs/current/references/execution-errors#';

/**
 * A failure with the replica's advice: what to do, and the section of its documentation. A
 * section written `bare:NAME` is named without the address of the page, as the replica does for some.
 */
export function failure(
  code: ErrorCode,
  message: string,
  advice?: string,
  section?: string,
): UserError {
  if (advice === undefined) return new UserError(code, message);
  const link = section === undefined ? '' : ` See documentation: ${linkTo(section)}`;
  return new UserError(code, `${message}\n${advice}${link}`);
}

function linkTo(section: string): string {
  return section.startsWith('bare:') ? section.slice('bare:'.length) : documentation + section;
}

export function notController(canister: Canister, sender: Uint8Array): UserError {
  const controllers = canister.settings.controllers.map(principalToText).join(' ');
  return failure(
    ErrorCode.CanisterInvalidController,
    `Only the controllers of the canister ${principalToText(canister.id)} can control it.\n` +
      `Canister's controllers: ${controllers}\nSender's ID: ${principalToText(sender)}`,
    'Execute this call from a controller of the target canister or add the current caller as a controller.',
    'invalid-controller',
  );
}

/** The subnets of the embedded IC have no administrators. */
export function notSubnetAdmin(sender: Uint8Array): UserError {
  return new UserError(
    ErrorCode.InvalidSubnetAdmin,
    `Only administrators of the subnet can call this method, and the embedded Internet Computer has none. Sender's ID: ${principalToText(sender)}`,
  );
}

export function canisterNotFound(id: Uint8Array): UserError {
  return failure(
    ErrorCode.CanisterNotFound,
    `Canister ${principalToText(id)} not found.`,
    'Check the ICP dashboard to ensure the canister exists.',
    'canister-not-found',
  );
}

export function chunkStoreError(message: string): UserError {
  return failure(
    ErrorCode.CanisterContractViolation,
    `Error from Wasm chunk store: ${message}.`,
    'Use the `stored_chunks` API to check which hashes are present or top up the canister if it is low on cycles.',
    'wasm-chunk-store-error',
  );
}

export function invalidPayload(message: string): UserError {
  return new UserError(ErrorCode.InvalidManagementPayload, message);
}

/** Bytes as Rust prints a slice of numbers: `[1, 2, 255]`. */
export function byteList(bytes: Uint8Array): string {
  return `[${Array.from(bytes).join(', ')}]`;
}
