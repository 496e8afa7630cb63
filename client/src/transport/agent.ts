import {
  HttpAgent,
  QueryResponseStatus,
  polling,
  pollForResponse,
  type Agent,
  type CallOptions,
  type Identity,
} from '@dfinity/agent';
import { Principal } from '@dfinity/principal';
import { CanisterError } from '@canopy/protocol';
import { CallRejected, CanopyError, firstLine } from '../errors.js';
import { sleep } from '../retry.js';
import { toHex } from '../sha256.js';
import { install, managementCanister, provisionalCreate } from './management.js';
import type { CreateOptions, InstallOptions, Transport } from './transport.js';

export interface HttpTransportOptions {
  /** Address of the replica or gateway, such as `http://127.0.0.1:4943` or `https://icp-api.io`. */
  host: string;
  /** Who calls; the anonymous principal where it is left out. */
  identity?: Identity;
  /**
   * Take the root key from the host itself. It must be trusted then, so this is for one's own machine.
   * @default true where `host` names this machine, else false
   */
  fetchRootKey?: boolean;
  /**
   * A canister id of the subnet on which canisters are created.
   * @default the first canister id of the first subnet
   */
  effectiveCanisterId?: string;
  /**
   * Milliseconds an update call may take.
   * @default 300000, as long as the IC remembers a call
   */
  timeoutMs?: number;
}

const localHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
const firstCanisterId = 'rwlgt-iiaaa-aaaaa-aaaaa-cai';
const defaultTimeoutMs = 5 * 60 * 1000;

function isLocal(host: string): boolean {
  const { hostname } = new URL(host);
  return localHosts.has(hostname) || hostname.endsWith('.localhost');
}

/** Waits 50 ms at first, then a fifth longer each time, up to a second. */
function pollingStrategy(timeoutMs: number): polling.PollStrategy {
  const { chain, timeout } = polling.strategy;
  let delay = 50;
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, delay);
      delay = Math.min(1000, delay * 1.2);
    });
  return chain(wait, timeout(timeoutMs));
}

/** What an agent's rejection looks like, whichever release of the agent threw it. */
function rejection(error: unknown): CallRejected | undefined {
  const code = (error as { code?: { rejectCode?: unknown; rejectMessage?: unknown } }).code;
  return typeof code?.rejectCode === 'number'
    ? new CallRejected(code.rejectCode, String(code.rejectMessage), { cause: error })
    : undefined;
}

/** {@link Transport} over the IC's HTTP interface; replies of updates are checked against certificates. */
export class AgentTransport implements Transport {
  constructor(
    private readonly agent: Agent,
    private readonly options: { effectiveCanisterId?: string; timeoutMs?: number } = {},
  ) {}

  async principal(): Promise<string> {
    return (await this.agent.getPrincipal()).toText();
  }

  /** @param effectiveCanister the canister that a call to the management canister is about */
  async query(
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister = canister,
  ): Promise<Uint8Array> {
    const response = await this.agent.query(Principal.fromText(canister), {
      methodName: method,
      arg,
      effectiveCanisterId: Principal.fromText(effectiveCanister),
    });
    if (response.status === QueryResponseStatus.Rejected) {
      throw new CallRejected(response.reject_code, response.reject_message);
    }
    return response.reply.arg;
  }

  /** @param effectiveCanister the canister that a call to the management canister is about */
  update(
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister = canister,
  ): Promise<Uint8Array> {
    return this.call(canister, method, arg, effectiveCanister);
  }

  wait(milliseconds: number): Promise<void> {
    return sleep(milliseconds);
  }

  async createCanister(options: CreateOptions): Promise<string> {
    return provisionalCreate(this.management, await this.principal(), options);
  }

  installCode(options: InstallOptions): Promise<void> {
    return install(this.management, options);
  }

  manage(method: string, arg: Uint8Array, canister: string): Promise<Uint8Array> {
    return this.management(method, arg, canister);
  }

  rootKey(): string | undefined {
    const { rootKey } = this.agent;
    return rootKey ? toHex(rootKey) : undefined;
  }

  private readonly management = (
    method: string,
    arg: Uint8Array,
    canister: string | undefined,
  ): Promise<Uint8Array> =>
    this.call(
      managementCanister,
      method,
      arg,
      canister ?? this.options.effectiveCanisterId ?? firstCanisterId,
    );

  private async call(
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister: string,
  ): Promise<Uint8Array> {
    const effective = Principal.fromText(effectiveCanister);
    try {
      // `/api/v2`, which every replica has: a later interface would answer in the same call, and a
      // missing one costs a request each time. `HttpAgent` knows the option, the interface does not.
      const options: CallOptions & { callSync: boolean } = {
        methodName: method,
        arg,
        effectiveCanisterId: effective,
        callSync: false,
      };
      const { requestId, response } = await this.agent.call(Principal.fromText(canister), options);
      if (response.body && 'reject_code' in response.body) {
        throw new CallRejected(response.body.reject_code, response.body.reject_message);
      }
      const { reply } = await pollForResponse(this.agent, effective, requestId, {
        strategy: pollingStrategy(this.options.timeoutMs ?? defaultTimeoutMs),
      });
      return reply;
    } catch (error) {
      throw rejection(error) ?? error;
    }
  }
}

/** Connects to a replica over HTTP. Throws `unreachable` where the host does not answer as one. */
export async function httpTransport(options: HttpTransportOptions): Promise<AgentTransport> {
  const { host, identity, ...rest } = options;
  try {
    const agent = HttpAgent.createSync({ host, ...(identity && { identity }) });
    if (options.fetchRootKey ?? isLocal(host)) await agent.fetchRootKey();
    else await agent.status();
    return new AgentTransport(agent, rest);
  } catch (error) {
    const { code, retryable } = CanisterError.unreachable;
    const text = `${host} does not answer as a replica: ${firstLine(error)}`;
    throw new CanopyError(code, text, retryable, { cause: error });
  }
}
