import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Ic, type ExecutionObserver } from '@canopy/local-ic';
import { coordinatorIdl } from '@canopy/protocol';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
const settings = IDL.Record({ controllers: IDL.Opt(IDL.Vec(IDL.Principal)) });
const createArgs = IDL.Record({ amount: IDL.Opt(IDL.Nat), settings: IDL.Opt(settings) });
const mode = IDL.Variant({ install: IDL.Null, reinstall: IDL.Null, upgrade: IDL.Opt(IDL.Null) });
const installArgs = IDL.Record({
  mode,
  canister_id: IDL.Principal,
  wasm_module: IDL.Vec(IDL.Nat8),
  arg: IDL.Vec(IDL.Nat8),
});
const management = new Uint8Array();

/** Canisters on an embedded IC of one subnet, called as one principal or another. */
export class IcNetwork {
  readonly ic = new Ic({ subnets: [{ kind: 'application' }] });

  /** Tells `observer` what a canister executes while `action` runs. */
  observe(canister: Principal, observer: ExecutionObserver, action: () => void): void {
    const id = canister.toText();
    this.ic.observer = (slice) => {
      if (Principal.fromUint8Array(slice.canisterId).toText() === id) observer(slice);
    };
    try {
      action();
    } finally {
      this.ic.observer = undefined;
    }
  }

  /** Instructions a canister executes while `action` runs. */
  instructionsOf(canister: Principal, action: () => void): number {
    let total = 0;
    this.observe(canister, ({ instructions }) => (total += instructions), action);
    return total;
  }

  /** Sends an update call and runs rounds until it is answered. Throws with the rejection's text. */
  update(
    sender: Principal,
    canister: Principal | undefined,
    method: string,
    arg: Uint8Array,
  ): Uint8Array {
    return this.submit(sender, canister, method, arg)();
  }

  /** Sends an update call; what it gives runs rounds until the call is answered. */
  submit(
    sender: Principal,
    canister: Principal | undefined,
    method: string,
    arg: Uint8Array,
  ): () => Uint8Array {
    const { messageId } = this.ic.submitIngress({
      sender: sender.toUint8Array(),
      canisterId: canister?.toUint8Array() ?? management,
      method,
      arg,
    });
    return () => {
      for (let round = 0; round < 1000; round++) {
        const status = this.ic.ingressStatus(messageId);
        if (status.status === 'replied') return status.reply;
        if (status.status === 'rejected') throw status.error;
        this.ic.tick();
      }
      throw new Error(`${method} is not answered after 1,000 rounds`);
    };
  }

  /** Lets so much time pass, and executes a round. */
  passSeconds(seconds: number): void {
    this.ic.advanceTime(BigInt(seconds) * 1_000_000_000n);
    this.ic.tick();
  }

  query(sender: Principal, canister: Principal, method: string, arg: Uint8Array): Uint8Array {
    return this.ic.query({
      sender: sender.toUint8Array(),
      canisterId: canister.toUint8Array(),
      method,
      arg,
    });
  }

  create(controller: Principal): Principal {
    const arg = IDL.encode(
      [createArgs],
      [{ amount: [10n ** 15n], settings: [{ controllers: [[controller]] }] }],
    );
    const reply = this.update(
      controller,
      undefined,
      'provisional_create_canister_with_cycles',
      arg,
    );
    const result = IDL.decode([IDL.Record({ canister_id: IDL.Principal })], reply)[0];
    return (result as unknown as { canister_id: Principal }).canister_id;
  }

  install(controller: Principal, canister: Principal, module: Uint8Array, upgrade = false): void {
    const arg = IDL.encode(
      [installArgs],
      [
        {
          mode: upgrade ? { upgrade: [] } : { install: null },
          canister_id: canister,
          wasm_module: module,
          arg: new Uint8Array(),
        },
      ],
    );
    this.update(controller, undefined, 'install_code', arg);
  }

  /**
   * Calls a method of the coordinator with Candid values; optional ones at the end may be left out. Of a message
   * that it does not take, what it says why.
   */
  call(sender: Principal, coordinator: Principal, name: string, args: unknown[]): unknown {
    const { method, arg, isQuery } = encodeCall(name, args);
    if (isQuery) return IDL.decode(method.retTypes, this.query(sender, coordinator, name, arg))[0];
    try {
      return this.send(sender, coordinator, name, args)();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return this.call(sender, coordinator, 'why_refused', [name, arg]);
    }
  }

  /** Sends an update call of {@link call}; what it gives runs rounds until the call is answered. */
  send(sender: Principal, coordinator: Principal, name: string, args: unknown[]): () => unknown {
    const { method, arg } = encodeCall(name, args);
    const finish = this.submit(sender, coordinator, name, arg);
    return () => IDL.decode(method.retTypes, finish())[0];
  }
}

/** Whether a canister did not take a message; the replica does not say why. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Canister rejected the message');
}

function encodeCall(name: string, args: unknown[]) {
  const method = service._fields.find(([key]) => key === name)![1];
  const arg = IDL.encode(method.argTypes.slice(0, args.length), args);
  return { method, arg, isQuery: method.annotations.length > 0 };
}
