import { ErrorCode, RejectCode, UserError, errorCodeName } from '../errors.js';
import { principalToText } from '../principal.js';
import type { ManagementDestination } from '../state/index.js';
import { decodeArgs } from './call.js';
import { nul, record, text, variant, type Type } from './candid/index.js';
import { methods, type MethodEntry } from './methods.js';

/** A call to `aaaaa-aa` that no subnet can take; the caller gets this code and text as a reject. */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';
  constructor(
    message: string,
    readonly rejectCode: RejectCode = RejectCode.DestinationInvalid,
  ) {
    super(message);
  }
}

function unroutable(method: string, reason: string): DestinationError {
  return new DestinationError(`Unable to route management canister request ${method}: ${reason}`);
}

/** See ManagementRoom.resolveDestination. */
export function resolveDestination(
  method: string,
  arg: Uint8Array,
  isRouted: (canisterId: Uint8Array) => boolean,
): ManagementDestination {
  const entry = methods.get(method);
  if (entry === undefined) {
    const code = ErrorCode.CanisterMethodNotFound;
    throw new DestinationError(
      `IC${String(code).padStart(4, '0')}: Management canister has no method '${method}'`,
      RejectCode.CanisterError,
    );
  }
  if (entry.key !== undefined) {
    throw unroutable(method, `ChainKeyError(${JSON.stringify(missingKey(entry, method, arg))})`);
  }
  if (entry.args === undefined) return { kind: 'own' };
  const args = parsed(method, () => decodeArgs(entry.args!, arg)) as Record<string, Uint8Array>;
  if (entry.target === undefined) return { kind: 'subnet', id: args['subnet_id']! };
  const id = args[entry.target]!;
  if (!isRouted(id)) {
    throw unroutable(method, `SubnetNotFound(CanisterId(${principalToText(id)}), ${entry.name})`);
  }
  return { kind: 'canister', id };
}

function parsed<T>(method: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw unroutable(
      method,
      `UserError(UserError { code: ${errorCodeName(error.code)}, description: ${JSON.stringify(error.message)} })`,
    );
  }
}

const keyArgs: Record<'ecdsa' | 'schnorr' | 'vetkd', Type<object>> = {
  ecdsa: record({ key_id: record({ curve: variant({ secp256k1: nul }), name: text }) }),
  schnorr: record({
    key_id: record({ algorithm: variant({ bip340secp256k1: nul, ed25519: nul }), name: text }),
  }),
  vetkd: record({ key_id: record({ curve: variant({ bls12_381_g2: nul }), name: text }) }),
};

function missingKey(entry: MethodEntry, method: string, arg: Uint8Array): string {
  const kind = entry.key!;
  const { key_id } = parsed(method, () => decodeArgs(keyArgs[kind], arg)) as {
    key_id: { name: string; curve?: object; algorithm?: object };
  };
  const algorithm = Object.keys(key_id.curve ?? key_id.algorithm ?? {})[0] ?? '';
  const printed: Record<string, string> = {
    secp256k1: 'Secp256k1',
    bip340secp256k1: 'Bip340Secp256k1',
    ed25519: 'Ed25519',
    bls12_381_g2: 'Bls12_381_G2',
  };
  const key = `${kind}:${printed[algorithm] ?? algorithm}:${key_id.name}`;
  return method.endsWith('_public_key')
    ? `Requested unknown threshold key: ${key}, existing keys: []`
    : `Requested unknown or signing disabled threshold key: ${key}, existing keys with signing enabled: []`;
}
