import type { Ic } from './ic.js';
import { encode, type Type } from './management/candid/index.js';
import { installCodeArgs, provisionalCreateArgs } from './management/types.js';

const anonymous = Uint8Array.of(4);
const management = new Uint8Array(0);
const canisterIdBytes = 10;
const defaultCycles = 100_000_000_000_000n;
/** PocketIC waits as many rounds for a call. */
const mostRounds = 100;

/** An update call was not answered in {@link mostRounds} rounds. */
export class NotAnsweredError extends Error {
  override readonly name = 'NotAnsweredError';
  readonly code = 'not-answered';
  constructor(method: string) {
    super(
      `"${method}" was not answered in ${mostRounds} rounds: submit it with submitIngress and look at ` +
        'its ingressStatus while rounds go on',
    );
  }
}

/**
 * Canisters of an {@link Ic} in this process, in whole steps: for programs and tests that want to call
 * a canister and nothing else. Calls are made as `sender`; ids, arguments and replies are bytes.
 *
 * @example
 * const canisters = new LocalCanisters(new Ic({ subnets: [{ kind: 'application' }] }));
 * const id = canisters.create(readFileSync('counter.wasm'));
 * canisters.update(id, 'increment', new Uint8Array());
 * const count = canisters.query(id, 'count', new Uint8Array());
 */
export class LocalCanisters {
  constructor(
    readonly ic: Ic,
    private readonly sender: Uint8Array = anonymous,
  ) {}

  /** Creates a canister on the first subnet and installs a module; gives its id. Throws `UserError`. */
  create(module: Uint8Array, arg = new Uint8Array(0), cycles = defaultCycles): Uint8Array {
    const created = this.manage('provisional_create_canister_with_cycles', provisionalCreateArgs, {
      amount: cycles,
      settings: undefined,
      specified_id: undefined,
      sender_canister_version: undefined,
    });
    const id = created.slice(-canisterIdBytes);
    this.install(id, module, arg, { install: null });
    return id;
  }

  /** Upgrades a canister: its stable memory stays. Throws `UserError`. */
  upgrade(id: Uint8Array, module: Uint8Array, arg = new Uint8Array(0)): void {
    this.install(id, module, arg, { upgrade: undefined });
  }

  /**
   * Makes an update call and executes rounds until it is answered. Throws `UserError` where it is
   * rejected, {@link NotAnsweredError} where it takes too long.
   */
  update(canisterId: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
    const { messageId } = this.ic.submitIngress({ sender: this.sender, canisterId, method, arg });
    return this.answer(messageId, method);
  }

  /** Makes a query call. Throws `UserError`. */
  query(canisterId: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
    return this.ic.query({ sender: this.sender, canisterId, method, arg });
  }

  private install(
    id: Uint8Array,
    module: Uint8Array,
    arg: Uint8Array,
    mode: { install: null } | { upgrade: undefined },
  ): void {
    const args = {
      mode,
      canister_id: id,
      wasm_module: module,
      arg,
      sender_canister_version: undefined,
    };
    this.manage('install_code', installCodeArgs, args, id);
  }

  private manage<T>(
    method: string,
    type: Type<T>,
    args: T,
    effectiveCanisterId?: Uint8Array,
  ): Uint8Array {
    const { messageId } = this.ic.submitIngress({
      sender: this.sender,
      canisterId: management,
      method,
      arg: encode(type, args),
      ...(effectiveCanisterId ? { effectiveCanisterId } : { subnetId: this.ic.subnets[0]!.id }),
    });
    return this.answer(messageId, method);
  }

  private answer(messageId: Uint8Array, method: string): Uint8Array {
    for (let round = 0; round < mostRounds; round++) {
      this.ic.tick();
      const status = this.ic.ingressStatus(messageId);
      if (status.status === 'replied') return status.reply;
      if (status.status === 'rejected') throw status.error;
    }
    throw new NotAnsweredError(method);
  }
}
