import { IDL, msgArgData, msgReject, msgReply } from 'azle';
import type { ByteWriter, CoordinatorErrorRecord } from '@canopy/protocol';
import { GatherWriter } from '../bytes/gather-writer.js';
import { errorRecord } from '../error.js';
import { CleanupOnly } from '../ic/ic.js';
import { decodeArguments } from './arguments.js';
import { replyHead, type Method } from './candid.js';
import type { OrError } from './request-codec.js';

interface Answer<Args extends unknown[], Result> {
  method: Method;
  /** Reads arguments without the library; undefined where it cannot. */
  readArguments?: (bytes: Uint8Array) => Args | undefined;
  run: (...args: Args) => Result | Promise<Result>;
  encode: (result: Result) => Uint8Array;
  /** Reply for an error; without it an error becomes a rejection `[code] text`. */
  encodeError?: (error: CoordinatorErrorRecord) => Uint8Array;
}

/** How replies of a request's methods are written: the type table once, then values by hand. */
export interface HandWritten<Args extends unknown[], Result> {
  /** Undefined where the library has to read the arguments. */
  readArguments: (bytes: Uint8Array) => Args | undefined;
  run: (...args: Args) => Result | Promise<Result>;
  write: (out: ByteWriter, result: OrError<Result>) => void;
  /** A reply's value and the bytes that its Candid takes, to learn the type table. */
  sample: { value: unknown; bytes: number };
}

function reject({ code, message }: CoordinatorErrorRecord): void {
  msgReject(`[${code}] ${message}`);
}

/** Answers calls of methods, each exactly once, and never with a trap. */
export class Responder {
  /** @param allow throws `CoordinatorError` where the caller may not call a method so */
  constructor(private readonly allow: (method: string, argumentBytes: number) => void) {}

  /** A method that gives plain data; errors are rejections. */
  plain(method: Method, run: (...args: never[]) => unknown): Promise<void> {
    return this.answer<never[], unknown>({
      method,
      run,
      encode: (result) => IDL.encode(method.retTypes, [result]),
    });
  }

  /** A method that gives nothing. */
  nothing(method: Method, run: () => void): Promise<void> {
    return this.answer<never[], unknown>({ method, run, encode: () => IDL.encode([], []) });
  }

  /** A method whose reply is `variant { ok : …; err : Error }`. */
  orError<Args extends unknown[]>(
    method: Method,
    run: (...args: Args) => unknown,
    readArguments?: (bytes: Uint8Array) => Args,
  ): Promise<void> {
    return this.answer<Args, unknown>({
      method,
      run,
      ...(readArguments && { readArguments }),
      encode: (ok) => IDL.encode(method.retTypes, [{ ok: ok ?? null }]),
      encodeError: (err) => IDL.encode(method.retTypes, [{ err }]),
    });
  }

  /** A method of a request; what is given answers a call. */
  byHand<Args extends unknown[], Result>(
    method: Method,
    { readArguments, run, write, sample }: HandWritten<Args, Result>,
  ): () => Promise<void> {
    const head = replyHead(method, sample.value, sample.bytes);
    const encode = (result: OrError<Result>): Uint8Array => {
      const out = new GatherWriter().bytes(head);
      write(out, result);
      return out.finish();
    };
    const encodeError = (error: CoordinatorErrorRecord): Uint8Array =>
      encode({ kind: 'err', error });
    const how = { method, readArguments, run, encode, encodeError };
    return () => this.answer(how);
  }

  private async answer<Args extends unknown[], Result>(how: Answer<Args, Result>): Promise<void> {
    const bytes = msgArgData();
    let args: Args;
    try {
      this.allow(how.method.name, bytes.length);
    } catch (error) {
      const known = errorRecord(error);
      if (how.encodeError) msgReply(how.encodeError(known));
      else reject(known);
      return;
    }
    try {
      args = how.readArguments?.(bytes) ?? (decodeArguments(how.method, bytes) as Args);
    } catch (error) {
      reject(errorRecord(error));
      return;
    }
    let reply: Uint8Array;
    try {
      reply = how.encode(await how.run(...args));
    } catch (error) {
      if (error instanceof CleanupOnly) return;
      const known = errorRecord(error);
      if (how.encodeError === undefined) {
        reject(known);
        return;
      }
      reply = how.encodeError(known);
    }
    msgReply(reply);
  }
}
