import { ErrorCode, UserError } from '../errors.js';
import { CandidError, decode, encode, type Type } from '../management/candid/index.js';
import type { NativeCall, NativeCanister, NativeReply } from '../state/index.js';

/** A call in whole, with a place to say which cycles are kept. */
export interface MethodCall extends NativeCall {
  /** Keeps cycles that are attached; none are kept unless said. */
  accept(cycles: bigint): void;
  /** Takes attached cycles that went elsewhere already. */
  passOn(cycles: bigint): void;
}

/** A method of a {@link MethodTable}. */
export interface Method {
  readonly kind: 'query' | 'update';
  run(call: MethodCall): Uint8Array;
}

/** A method that takes one Candid value. */
export function method<A, R>(
  kind: Method['kind'],
  args: Type<A>,
  reply: Type<R>,
  run: (args: A, call: MethodCall) => R,
): Method {
  return {
    kind,
    run: (call) => encode(reply, run(readArgs(call, args), call)),
  };
}

/** A query method without arguments. */
export function getter<R>(reply: Type<R>, run: (call: MethodCall) => R): Method {
  return { kind: 'query', run: (call) => encode(reply, run(call)) };
}

function readArgs<A>({ method: name, arg }: NativeCall, type: Type<A>): A {
  try {
    return decode(type, arg);
  } catch (error) {
    if (!(error instanceof CandidError)) throw error;
    throw trap(`the argument of ${name} is not what the method takes: ${error.message}`);
  }
}

/** What a canister that ends with a message answers. */
export function trap(message: string): UserError {
  return new UserError(
    ErrorCode.CanisterCalledTrap,
    `Canister called \`ic0.trap\` with message: ${message}`,
  );
}

/** A native canister as a table of its methods. Queries may be called as updates, too. */
export class MethodTable implements NativeCanister {
  readonly #methods: ReadonlyMap<string, Method>;

  constructor(methods: Readonly<Record<string, Method>>) {
    this.#methods = new Map(Object.entries(methods));
  }

  query(call: NativeCall): Uint8Array {
    return this.#run('query', call).data;
  }

  update(call: NativeCall): NativeReply {
    return this.#run('update', call);
  }

  #run(kind: Method['kind'], call: NativeCall): NativeReply {
    const found = this.#methods.get(call.method);
    if (found === undefined || (kind === 'query' && found.kind === 'update')) {
      throw new UserError(
        ErrorCode.CanisterMethodNotFound,
        `Canister has no ${kind} method '${call.method}'. This is the embedded IC's stand-in, which has the methods that clients use: ${[...this.#methods.keys()].join(', ')}.`,
      );
    }
    let accepted = 0n;
    let passedOn = 0n;
    const data = found.run({
      ...call,
      accept: (cycles) => {
        accepted += cycles;
      },
      passOn: (cycles) => {
        passedOn += cycles;
      },
    });
    return { data, accepted, passedOn };
  }
}
