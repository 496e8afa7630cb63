import { IDL, msgArgData, msgReject, msgReply } from 'azle';
import { ByteWriter, CanisterError, type CoordinatorErrorRecord } from '@canopy/protocol';
import { errorRecord } from '../error.js';
import { CleanupOnly } from '../ic/ic.js';
import { replyHead, type Method } from './candid.js';
import type { OrError } from './tensor-codec.js';

function decodeArguments(method: Method, bytes: Uint8Array): unknown[] | undefined {
  try {
    return IDL.decode(method.argTypes, bytes);
  } catch (error) {
    const { code } = CanisterError.badMessage;
    msgReject(`[${code}] the argument is not the Candid of this method: ${String(error)}`);
    return undefined;
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
export function respondOrErr<Args extends unknown[], Result>(
  method: Method,
  run: (...args: Args) => Result | Promise<Result>,
  readArguments?: (bytes: Uint8Array) => Args | undefined,
): Promise<void> {
  return answer({
    method,
    run,
    ...(readArguments && { readArguments }),
    encode: (ok) => IDL.encode(method.retTypes, [{ ok: ok ?? null }]),
    encodeError: (err) => IDL.encode(method.retTypes, [{ err }]),
  });
}

/** How replies that carry tensors are written: the type table once, then values by hand. */
export class TensorReply<Result> {
  private readonly head: Uint8Array;

  /** @param sample a reply value whose Candid takes `sample.bytes` bytes, to learn the type table */
  constructor(
    private readonly method: Method,
    private readonly write: (out: ByteWriter, result: OrError<Result>) => void,
    sample: { value: unknown; bytes: number },
  ) {
    this.head = replyHead(method, sample.value, sample.bytes);
  }

  private encode(result: OrError<Result>): Uint8Array {
    const out = new ByteWriter().bytes(this.head);
    this.write(out, result);
    return out.finish();
  }

  respond<Args extends unknown[]>(
    run: (...args: Args) => Promise<Result>,
    readArguments?: (bytes: Uint8Array) => Args | undefined,
  ): Promise<void> {
    return answer<Args, OrError<Result>>({
      method: this.method,
      run,
      ...(readArguments && { readArguments }),
      encode: (result) => this.encode(result),
      encodeError: (error) => this.encode({ kind: 'err', error }),
    });
  }
}
