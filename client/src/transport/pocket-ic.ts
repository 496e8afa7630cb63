import { Principal } from '@dfinity/principal';
import { CallRejected } from '../errors.js';
import type { CreateOptions, InstallOptions, Transport } from './transport.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- principals of another release of the same class */
/** The part of `PocketIc` of `@dfinity/pic` that is used; any release with these methods fits. */
export interface PocketIcLike {
  createCanister(options: {
    sender?: any;
    cycles?: bigint;
    controllers?: any[];
    targetSubnetId?: any;
  }): Promise<{ toText(): string }>;
  installCode(options: PocketIcInstall): Promise<void>;
  reinstallCode(options: PocketIcInstall): Promise<void>;
  upgradeCanister(options: PocketIcInstall): Promise<void>;
  queryCall(options: PocketIcCall): Promise<Uint8Array>;
  updateCall(options: PocketIcCall): Promise<Uint8Array>;
  tick(times?: number): Promise<void>;
}

interface PocketIcInstall {
  canisterId: any;
  wasm: Uint8Array;
  arg?: Uint8Array;
  sender?: any;
}

interface PocketIcCall {
  canisterId: any;
  method: string;
  arg?: Uint8Array;
  sender?: any;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** How `@dfinity/pic` words a rejection. */
const rejectionText = /^Canister call failed: ([^]*)\. Reject code: (\w+)\. Error code: /;

/** Reject codes of the interface specification, by the names PocketIC gives them. */
export const rejectCodes: Readonly<Record<string, number>> = {
  SysFatal: 1,
  SysTransient: 2,
  DestinationInvalid: 3,
  CanisterReject: 4,
  CanisterError: 5,
  SysUnknown: 6,
};

/** {@link Transport} to an instance of PocketIC (or what speaks its interface). */
export class PocketIcTransport implements Transport {
  private readonly sender: Principal;

  /** @param options.sender text of the principal to call as; anonymous where it is left out */
  constructor(
    private readonly pic: PocketIcLike,
    options: { sender?: string } = {},
  ) {
    this.sender =
      options.sender === undefined ? Principal.anonymous() : Principal.fromText(options.sender);
  }

  principal(): Promise<string> {
    return Promise.resolve(this.sender.toText());
  }

  isLocal(): Promise<boolean> {
    return Promise.resolve(true);
  }

  query(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array> {
    return translate(this.pic.queryCall(this.message(canister, method, arg)));
  }

  update(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array> {
    return translate(this.pic.updateCall(this.message(canister, method, arg)));
  }

  /** Executes one round, however long is waited for: PocketIC's rounds take no time. */
  wait(): Promise<void> {
    return this.pic.tick();
  }

  async createCanister({ cycles, controllers = [] }: CreateOptions): Promise<string> {
    const all = [...new Set([this.sender.toText(), ...controllers])];
    const id = await translate(
      this.pic.createCanister({
        sender: this.sender,
        cycles,
        controllers: all.map((text) => Principal.fromText(text)),
      }),
    );
    return id.toText();
  }

  installCode({ canister, module, mode, arg = new Uint8Array() }: InstallOptions): Promise<void> {
    const options = {
      canisterId: Principal.fromText(canister),
      wasm: module,
      arg,
      sender: this.sender,
    };
    switch (mode) {
      case 'install':
        return translate(this.pic.installCode(options));
      case 'reinstall':
        return translate(this.pic.reinstallCode(options));
      case 'upgrade':
        return translate(this.pic.upgradeCanister(options));
    }
  }

  private message(canister: string, method: string, arg: Uint8Array): PocketIcCall {
    return { canisterId: Principal.fromText(canister), method, arg, sender: this.sender };
  }
}

async function translate<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const match = error instanceof Error ? rejectionText.exec(error.message) : null;
    if (match) throw new CallRejected(rejectCodes[match[2]!] ?? 0, match[1]!, { cause: error });
    throw error;
  }
}
