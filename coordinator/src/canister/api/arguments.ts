/** Reads the arguments of methods, by hand where that is much cheaper, else with the library. */
import { IDL } from 'azle';
import { CanisterError, type RequestNumber } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { checkArgument, takeBlobOut } from './candid-header.js';
import { methods, type Method } from './candid.js';
import { readRequest } from './request-codec.js';

/** Throws {@link CoordinatorError} `bad-message`. */
export function decodeArguments(method: Method, bytes: Uint8Array): unknown[] {
  checkArgument(bytes);
  try {
    return decodeWithOptions(method.argTypes, bytes);
  } catch (error) {
    throw new CoordinatorError(
      CanisterError.badMessage,
      `the argument is not the Candid of this method: ${String(error)}`,
    );
  }
}

/** Optional arguments may be left out at the end, which the library does not know. */
function decodeWithOptions(types: readonly IDL.Type[], bytes: Uint8Array): unknown[] {
  try {
    // The library reads a view from where its buffer begins.
    return IDL.decode([...types], bytes.byteOffset === 0 ? bytes : bytes.slice());
  } catch (error) {
    if (!types[types.length - 1]?.name.startsWith('opt ')) throw error;
    return [...decodeWithOptions(types.slice(0, -1), bytes), []];
  }
}

/** Arguments of `infer` and `submit`: model, inputs, a number or none. */
export type RequestArguments = [string, Uint8Array, [] | [RequestNumber]];

/**
 * Arguments of `infer` and `submit`, the inputs as a view. The library copies blobs byte by byte, so it
 * reads what is around the blob. Throws {@link CoordinatorError} `bad-message`.
 */
export function requestArguments(bytes: Uint8Array): RequestArguments {
  const known = readRequest(bytes);
  if (known !== undefined) return known;
  const { blob, rest } = takeBlobOut(bytes);
  const [model, , number] = decodeArguments(methods.infer, rest) as RequestArguments;
  return [model, blob, number];
}

/** Arguments of `why_refused`: method and argument; the same. */
export function whyArguments(bytes: Uint8Array): [string, Uint8Array] {
  const { blob, rest } = takeBlobOut(bytes);
  const [method] = decodeArguments(methods.why_refused, rest) as [string, unknown];
  return [method, blob];
}
