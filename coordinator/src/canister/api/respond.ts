import { IDL, msgArgData, msgReject, msgReply } from 'azle';
import { CanisterError, type ByteWriter, type CoordinatorErrorRecord } from '@canopy/protocol';
import { GatherWriter } from '../bytes/gather-writer.js';
import { errorRecord } from '../error.js';
import { CleanupOnly, samePrincipal, type Ic } from '../ic/ic.js';
import { replyHead, type Method } from './candid.js';
import type { OrError } from './request-codec.js';

function decodeArguments(method: Method, bytes: Uint8Array): unknown[] | undefined {
  try {
    return decodeWithOptions(method.argTypes, bytes);
  } catch (error) {
    const { code } = CanisterError.badMessage;
    msgReject(`[${code}] the argument is not the Candid of this method: ${String(error)}`);
    return undefined;
  }
}

/** Optional arguments may be left out at the end, which the library does not know. */
function decodeWithOptions(types: readonly IDL.Type[], bytes: Uint8Array): unknown[] {
  try {
    return IDL.decode([...types], bytes);
  } catch (error) {
    if (!types[types.length - 1]?.name.startsWith('opt ')) throw error;
    return [...decodeWithOptions(types.slice(0, -1), bytes), []];
  }
}

interface Answer<Args extends unknown[], Result> {
  method: Method;
  /** Reads arguments without the library; undefined where it cannot. */
  readArguments?: (bytes: Uint8Array) => Args | undefined;
  run: (...args: Args) => Result | Promise<Result>;
  encode: (result: Result) => Uint8Array;
  /** Reply for an error; without it an error becomes a rejection `[code] text`. */
  encodeError?: (error: CoordinatorErrorRecord) => Uint8Array;
}

/** Runs a method and replies exactly once. A malformed argument is rejected, never a trap. */
async function answer<Args extends unknown[], Result>(how: Answer<Args, Result>): Promise<void> {
  const bytes = msgArgData();
  const args =
    how.readArguments?.(bytes) ?? (decodeArguments(how.method, bytes) as Args | undefined);
  if (args === undefined) return;
  let reply: Uint8Array;
  try {
    reply = how.encode(await how.run(...args));
  } catch (error) {
    if (error instanceof CleanupOnly) return;
    const known = errorRecord(error);
    if (how.encodeError === undefined) {
      msgReject(`[${known.code}] ${known.message}`);
      return;
    }
    reply = how.encodeError(known);
  }
  msgReply(reply);
}

/** A method that gives plain data and cannot fail. */
export function respond(method: Method, run: (...args: never[]) => unknown): Promise<void> {
  return answer<never[], unknown>({
    method,
    run,
    encode: (result) => IDL.encode(method.retTypes, [result]),
  });
}

/** A method whose reply is `variant { ok : …; err : Error }`. */
export function respondOrErr(method: Method, run: (...args: never[]) => unknown): Promise<void> {
  return answer<never[], unknown>({
    method,
    run,
    encode: (ok) => IDL.encode(method.retTypes, [{ ok: ok ?? null }]),
    encodeError: (err) => IDL.encode(method.retTypes, [{ err }]),
  });
}

/** A method that only the canister itself calls. */
export function respondToItself(ic: Ic, run: () => void): void {
  if (!samePrincipal(ic.caller(), ic.self())) {
    msgReject(
      `[${CanisterError.notAuthorised.code}] only the coordinator itself calls this method`,
    );
    return;
  }
  run();
  msgReply(nothing);
}
/** The Candid of no values. */
const nothing = IDL.encode([], []);

/** How a request's replies are written: the type table once, then values by hand. */
export class RequestReply<Args extends unknown[], Result> {
  private readonly how: Answer<Args, OrError<Result>>;

  /**
   * @param write writes a reply's value
   * @param sample a reply's value whose Candid takes `sample.bytes` bytes, to learn the type table
   */
  constructor(
    method: Method,
    readArguments: (bytes: Uint8Array) => Args | undefined,
    run: (...args: Args) => Result | Promise<Result>,
    write: (out: ByteWriter, result: OrError<Result>) => void,
    sample: { value: unknown; bytes: number },
  ) {
    const head = replyHead(method, sample.value, sample.bytes);
    const encode = (result: OrError<Result>): Uint8Array => {
      const out = new GatherWriter().bytes(head);
      write(out, result);
      return out.finish();
    };
    const encodeError = (error: CoordinatorErrorRecord): Uint8Array =>
      encode({ kind: 'err', error });
    this.how = { method, readArguments, run, encode, encodeError };
  }

  respond(): Promise<void> {
    return answer(this.how);
  }
}
