import { sleep } from '../abort.js';
import { CanopyError, UnreachableError, firstLine, toCanopyError } from '../errors.js';
import { toHex } from '../sha256.js';
import { newAgent, queryBy, updateBy, type AgentLike, type IdentityLike } from './agent-shape.js';
import { DirectCalls } from './direct-call.js';
import { install, managementCanister, provisionalCreate } from './management.js';
import { isLocalAgent, isLoopback } from './network.js';
import type { CallOptions, CreateOptions, InstallOptions, Transport } from './transport.js';

export interface AgentTransportOptions {
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

export interface HttpTransportOptions extends AgentTransportOptions {
  /** Address of the replica or gateway, such as `http://127.0.0.1:4943` or `https://icp-api.io`. */
  host: string;
  /**
   * Who calls; the anonymous principal where it is left out. One of {@link loadIdentity}, or of an agent's
   * package.
   */
  identity?: IdentityLike;
  /**
   * Take the root key from the host itself. It must be trusted then, so this is for one's own machine.
   * @default true where `host` names this machine, else false
   */
  fetchRootKey?: boolean;
}

/** How a call of an agent is made. */
export interface AgentCallOptions extends CallOptions {
  /** The canister that a call to the management canister is about. */
  effectiveCanister?: string;
}

const firstCanisterId = 'rwlgt-iiaaa-aaaaa-aaaaa-cai';
const defaultTimeoutMs = 5 * 60 * 1000;

/**
 * {@link Transport} over the IC's HTTP interface; replies of updates are checked against certificates. Takes
 * an agent of `@dfinity/agent` 3, or of `@icp-sdk/core` 5 or 6.
 */
export class AgentTransport implements Transport {
  /** Left out where it is not known where the agent calls, and as whom. */
  updateUnproven?: NonNullable<Transport['updateUnproven']>;

  constructor(
    private readonly agent: AgentLike,
    private readonly options: AgentTransportOptions = {},
    direct?: DirectCalls,
  ) {
    if (!direct) return;
    this.updateUnproven = (canister, method, arg, { signal } = {}) => {
      const call = { canister, method, arg, effectiveCanister: canister };
      return direct.update(call, this.waitStrategy(method, signal));
    };
  }

  async principal(): Promise<string> {
    return (await this.agent.getPrincipal()).toText();
  }

  isLocal(): Promise<boolean> {
    return isLocalAgent(this.agent);
  }

  query(
    canister: string,
    method: string,
    arg: Uint8Array,
    { effectiveCanister = canister }: AgentCallOptions = {},
  ): Promise<Uint8Array> {
    return queryBy(this.agent, { canister, method, arg, effectiveCanister });
  }

  update(
    canister: string,
    method: string,
    arg: Uint8Array,
    { effectiveCanister = canister, signal }: AgentCallOptions = {},
  ): Promise<Uint8Array> {
    const call = { canister, method, arg, effectiveCanister };
    return updateBy(this.agent, call, this.waitStrategy(method, signal));
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
  ): Promise<Uint8Array> => {
    const effectiveCanister = canister ?? this.options.effectiveCanisterId ?? firstCanisterId;
    return this.update(managementCanister, method, arg, { effectiveCanister });
  };

  /** Waits 50 ms at first, then a fifth longer each time, up to a second. */
  private waitStrategy(method: string, signal: AbortSignal | undefined): () => Promise<void> {
    const { timeoutMs = defaultTimeoutMs } = this.options;
    const end = Date.now() + timeoutMs;
    let delay = 50;
    return async () => {
      await sleep(delay, signal);
      delay = Math.min(1000, delay * 1.2);
      if (Date.now() <= end) return;
      throw new UnreachableError(
        `${method} was not answered within ${timeoutMs} ms; it may still be carried out`,
      );
    };
  }
}

/**
 * Connects to a replica over HTTP, with an agent of `@icp-sdk/core`, or of `@dfinity/agent` where that is
 * not installed. Throws `unreachable` where the host does not answer as a replica.
 */
export async function httpTransport(options: HttpTransportOptions): Promise<AgentTransport> {
  const { host, identity, fetchRootKey, ...rest } = options;
  const agent = await newAgent(host, identity);
  try {
    if (fetchRootKey ?? isLoopback(host)) await agent.fetchRootKey();
    else await agent.status();
  } catch (error) {
    const known = toCanopyError(error, host);
    const text = `${host} does not answer as a replica: ${firstLine(error)}`;
    throw new CanopyError('unreachable', text, known.retryable, { cause: error });
  }
  return new AgentTransport(agent, rest, new DirectCalls(host, identity));
}
