import { UserError } from '../../errors.js';
import { Ic, type IcOptions } from '../../ic.js';
import { encode, type Type } from '../../management/candid/index.js';
import {
  canisterIdRecord,
  installCodeArgs,
  provisionalCreateArgs,
  updateSettingsArgs,
  type SettingsRecord,
} from '../../management/types.js';
import { canisterIdFromNumber } from '../../principal.js';
import type { IngressStatus } from '../../state/index.js';
import { assemble } from '../../wasm/testing/assemble.js';

const ANONYMOUS = Uint8Array.of(4);
const MANAGEMENT = new Uint8Array(0);
const MODES = {
  install: { install: null },
  reinstall: { reinstall: null },
  upgrade: { upgrade: undefined },
} as const;
/** Text as bytes. */
export const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content));

/** An {@link Ic} with canisters from modules in text form, for tests. */
export class TestIc {
  readonly ic: Ic;

  constructor(options: Partial<IcOptions> = {}) {
    this.ic = new Ic({ subnets: [{ kind: 'application' }], costs: '2025-10', ...options });
  }

  /** A new canister, with code when a module is given. */
  create(
    wat?: string,
    settings: Partial<SettingsRecord> = {},
    cycles = 100_000_000_000_000n,
  ): Uint8Array {
    const args = {
      amount: cycles,
      settings: settings as SettingsRecord,
      specified_id: undefined,
      sender_canister_version: undefined,
    };
    const reply = this.manage(
      'provisional_create_canister_with_cycles',
      provisionalCreateArgs,
      args,
    );
    const id = reply.slice(reply.length - 10);
    if (wat !== undefined) this.install(id, wat);
    return id;
  }

  /** A new canister on the subnet with an index. */
  createOn(index: number, wat: string): Uint8Array {
    const subnet = this.ic.subnets[index]!;
    const id = canisterIdFromNumber(subnet.ranges[0]!.first);
    const args = {
      amount: 10n ** 14n,
      settings: {} as SettingsRecord,
      specified_id: id,
      sender_canister_version: undefined,
    };
    this.manage('provisional_create_canister_with_cycles', provisionalCreateArgs, args, id);
    this.install(id, wat);
    return id;
  }

  install(id: Uint8Array, wat: string, mode: keyof typeof MODES = 'install'): void {
    this.manage(
      'install_code',
      installCodeArgs,
      {
        mode: MODES[mode],
        canister_id: id,
        wasm_module: assemble(wat),
        arg: new Uint8Array(0),
        sender_canister_version: undefined,
      },
      id,
    );
  }

  updateSettings(id: Uint8Array, settings: Partial<SettingsRecord>): void {
    this.manage(
      'update_settings',
      updateSettingsArgs,
      {
        canister_id: id,
        settings: settings as SettingsRecord,
        sender_canister_version: undefined,
      },
      id,
    );
  }

  /** A management call that takes only the canister's id. */
  manageCanister(method: 'stop_canister' | 'start_canister', id: Uint8Array): void {
    this.manage(method, canisterIdRecord, { canister_id: id }, id);
  }

  /** Asks for a canister to be stopped without waiting for it. */
  submitStop(id: Uint8Array): Uint8Array {
    return this.submitManagement('stop_canister', canisterIdRecord, { canister_id: id }, id);
  }

  private manage<Value>(
    method: string,
    type: Type<Value>,
    args: Value,
    effectiveCanisterId?: Uint8Array,
  ): Uint8Array {
    return this.await(this.submitManagement(method, type, args, effectiveCanisterId));
  }

  private submitManagement<Value>(
    method: string,
    type: Type<Value>,
    args: Value,
    effectiveCanisterId?: Uint8Array,
  ): Uint8Array {
    const { messageId } = this.ic.submitIngress({
      sender: ANONYMOUS,
      canisterId: MANAGEMENT,
      method,
      arg: encode(type, args),
      ...(effectiveCanisterId ? { effectiveCanisterId } : {}),
    });
    return messageId;
  }

  submit(canisterId: Uint8Array, method: string, arg: Uint8Array = new Uint8Array(0)): Uint8Array {
    return this.ic.submitIngress({ sender: ANONYMOUS, canisterId, method, arg }).messageId;
  }

  /** Rounds until a message is answered; throws its error when it was rejected. */
  await(messageId: Uint8Array, maxRounds = 100): Uint8Array {
    for (let round = 0; round < maxRounds; round++) {
      const status = this.status(messageId);
      if (status.status === 'replied') return status.reply;
      if (status.status === 'rejected') throw status.error;
      this.ic.tick();
    }
    throw new Error(`no answer after ${maxRounds} rounds`);
  }

  status(messageId: Uint8Array): IngressStatus {
    return this.ic.ingressStatus(messageId);
  }

  update(canisterId: Uint8Array, method: string, arg: Uint8Array = new Uint8Array(0)): Uint8Array {
    return this.await(this.submit(canisterId, method, arg));
  }

  query(canisterId: Uint8Array, method: string, arg: Uint8Array = new Uint8Array(0)): Uint8Array {
    return this.ic.query({ sender: ANONYMOUS, canisterId, method, arg });
  }

  /** The error that a call ends with. */
  failure(call: () => unknown): UserError {
    try {
      call();
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
    throw new Error('the call did not fail');
  }
}
