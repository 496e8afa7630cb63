import {
  CallRejected,
  toCanopyError,
  type AgentTransport,
  type CreateOptions,
  type Transport,
} from '@canopy/client';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { IcAbout, Memory } from '../results/schema.js';
import { canisterStatus, type CanisterStatus } from './canister-status.js';
import { BenchIcError } from './errors.js';
import type { Answer, LiveIc, PendingCall } from './round-ic.js';
import { management } from './round-transport.js';

const canisterRecord = IDL.Record({ canister_id: IDL.Principal });

/**
 * A replica, or a gateway to one, reached by its URL. It runs by itself, so times are read from the
 * clock. Every call is made as the transport's own principal, whoever the sender is said to be.
 */
export class Replica implements LiveIc {
  readonly unit = 'second';
  readonly about: IcAbout;
  private readonly canisters: string[] = [];

  constructor(
    private readonly agent: AgentTransport,
    url: string,
  ) {
    this.about = { kind: 'replica', version: null, url };
  }

  submit(_sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall> {
    const answered = this.call(canister, method, arg);
    // Whoever polls hears of it; a call nobody asks after, such as `release`, may fail.
    answered.catch(() => undefined);
    return Promise.resolve({ poll: () => answered });
  }

  private async call(canister: string, method: string, arg: Uint8Array): Promise<Answer> {
    try {
      return { kind: 'reply', reply: await this.agent.update(canister, method, arg) };
    } catch (error) {
      if (!(error instanceof CallRejected)) throw toCanopyError(error, `${method} of ${canister}`);
      return { kind: 'reject', code: error.rejectCode, message: error.message };
    }
  }

  query(_sender: string, canister: string, method: string, arg: Uint8Array): Promise<Uint8Array> {
    return this.agent.query(canister, method, arg);
  }

  transport(): Transport {
    const { agent } = this;
    return {
      principal: () => agent.principal(),
      isLocal: () => agent.isLocal(),
      update: (canister, method, arg) => agent.update(canister, method, arg),
      query: (canister, method, arg) => agent.query(canister, method, arg),
      wait: (milliseconds) => agent.wait(milliseconds),
      createCanister: (options) => this.createCanister(options),
      installCode: (options) => agent.installCode(options),
    };
  }

  private async createCanister(options: CreateOptions): Promise<string> {
    try {
      const canister = await this.agent.createCanister(options);
      this.canisters.push(canister);
      return canister;
    } catch (error) {
      const { message } = toCanopyError(error, `${this.about.url} creates no canister`);
      throw new BenchIcError(
        'no-cycles',
        `${message}; a benchmark needs a replica that gives cycles for tests away, as a local one does`,
        { cause: error },
      );
    }
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }
  settle(): Promise<void> {
    return Promise.resolve();
  }

  async cyclesBalance(canister: string): Promise<bigint | null> {
    return (await this.status(canister))?.cycles ?? null;
  }

  async memory(canister: string): Promise<Memory | null> {
    return (await this.status(canister))?.memory ?? null;
  }

  private status(canister: string): Promise<CanisterStatus | null> {
    return canisterStatus(
      (method, arg) => this.agent.query(management, method, arg, { effectiveCanister: canister }),
      canister,
    );
  }

  /** Deletes the canisters that were created. */
  async close(): Promise<void> {
    for (const canister of this.canisters) {
      const arg = IDL.encode([canisterRecord], [{ canister_id: Principal.fromText(canister) }]);
      await this.agent.update(management, 'stop_canister', arg, { effectiveCanister: canister });
      await this.agent.update(management, 'delete_canister', arg, { effectiveCanister: canister });
    }
    this.canisters.length = 0;
  }
}
