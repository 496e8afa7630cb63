import { createHash } from 'node:crypto';
import { ErrorCode, IcError, UserError } from './errors.js';
import {
  answerHttpOutcall,
  DestinationError,
  managementRoom,
  type HttpAnswer,
} from './management/index.js';
import { canisterNumber, idKey, principalToText } from './principal.js';
import {
  APPLICATION_LIMITS,
  checkIngressFee,
  checkSubmission,
  executeQuery,
  ingressBytes,
  ManagementHost,
  messageIdOf,
  RoundExecutor,
  SubnetMemoryView,
  SYSTEM_LIMITS,
  type ExecutionContext,
  type ExecutionObserver,
  type Network,
} from './scheduler/index.js';
import { defaultSubnetId, makeSubnet } from './scheduler/topology.js';
import {
  Fees,
  snapshotOf,
  type Canister,
  type Ingress,
  type IngressRecord,
  type IngressStatus,
  type Subnet,
  type SubnetSpec,
} from './state/index.js';
import type { CostSchedule } from './wasm/index.js';

/** How to start an {@link Ic}. */
export interface IcOptions {
  readonly subnets: readonly SubnetSpec[];
  /** Schedule of memory costs; '2026-07' unless given. */
  readonly costs?: CostSchedule;
  /** Nanoseconds since 1970; 2021-05-06T19:17:10Z unless given. */
  readonly initialTimeNs?: bigint;
  /** Public key of the network, DER; a stand-in without a key behind it unless given. */
  readonly rootKey?: Uint8Array;
  /** Id of the subnet with an index; a stand-in unless given. */
  readonly subnetId?: (index: number, spec: SubnetSpec) => Uint8Array;
}

/** An update call from outside. */
export interface IngressCall {
  readonly sender: Uint8Array;
  /** Empty for the management canister. */
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  /** Canister whose subnet takes a management call. */
  readonly effectiveCanisterId?: Uint8Array;
  /** Subnet that takes a management call without an effective canister. */
  readonly subnetId?: Uint8Array;
  /** 32 bytes; computed from the rest unless given. */
  readonly messageId?: Uint8Array;
  /** Nanoseconds since 1970; 5 minutes from now unless given. */
  readonly expiry?: bigint;
  /** Told apart from the same call sent again; counted up unless given. */
  readonly nonce?: Uint8Array;
}

/** A query call from outside. */
export interface QueryCall {
  readonly sender: Uint8Array;
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  readonly effectiveCanisterId?: Uint8Array;
}

const DEFAULT_TIME_NS = 1_620_328_630_000_000_000n;
const INGRESS_TTL_NS = 300_000_000_000n;
const MAX_INGRESS_BYTES = 2_097_152;
/** Bytes of an ingress message besides what its fee counts: the message id. */
const MESSAGE_ID_BYTES = 32;

/** Ingress as the engine keeps it: with the canister that pays. */
interface Submitted extends Ingress {
  readonly payer: Uint8Array | undefined;
}

/**
 * An Internet Computer in this process.
 *
 * @example
 * const ic = new Ic({ subnets: [{ kind: 'application' }] });
 * const { messageId } = ic.submitIngress({ sender, canisterId, method: 'greet', arg });
 * ic.tick();
 * console.log(ic.ingressStatus(messageId));
 */
export class Ic {
  readonly costs: CostSchedule;
  readonly subnets: Subnet[] = [];
  /** Public key of the network, DER. */
  readonly rootKey: Uint8Array;
  /** Makes certificates of certified data for queries; set by whoever has keys (`certifiedIc`). */
  dataCertificate: (canister: Canister) => Uint8Array | undefined = () => undefined;
  /** Told of every slice that canisters execute, for measurements. */
  observer: ExecutionObserver | undefined;
  private time: bigint;
  private timeWasSet = true;
  private randomCounter = 0n;
  private nonceCounter = 0n;

  private readonly executors = new Map<Subnet, RoundExecutor>();
  private readonly feesOf = new Map<Subnet, Fees>();
  private readonly network: Network;
  private readonly subnetId: (index: number, spec: SubnetSpec) => Uint8Array;

  constructor(options: IcOptions) {
    this.costs = options.costs ?? '2026-07';
    this.time = options.initialTimeNs ?? DEFAULT_TIME_NS;
    this.subnetId = options.subnetId ?? defaultSubnetId;
    this.rootKey = options.rootKey ?? new Uint8Array(133);
    this.network = {
      schedule: this.costs,
      management: managementRoom,
      subnetOf: (id) => this.subnetOf(id),
      subnetById: (id) => this.subnets.find((subnet) => subnet.key === idKey(id)),
      findCanister: (id) => this.canister(id),
      randomBytes: () => this.randomBytes(),
      dataCertificate: (canister) => this.dataCertificate(canister),
      allSubnets: () => this.subnets,
    };
    for (const spec of options.subnets) this.addSubnet(spec);
  }

  /** Adds a subnet to the running network. */
  addSubnet(spec: SubnetSpec): Subnet {
    const index = this.subnets.length;
    const subnet = makeSubnet(spec.kind, index, this.subnetId(index, spec));
    this.subnets.push(subnet);
    this.executors.set(subnet, new RoundExecutor(this.network, subnet));
    this.feesOf.set(subnet, new Fees(spec.kind));
    return subnet;
  }

  /** Time of the latest state, or the time set since; nanoseconds since 1970. */
  get timeNs(): bigint {
    return this.time;
  }

  /** Sets the time; the next round has exactly this time. */
  setTime(ns: bigint): void {
    if (ns < this.time) {
      throw new IcError(
        'SettingTimeIntoPast',
        `The time ${ns} lies before the present ${this.time}.`,
      );
    }
    this.time = ns;
    this.timeWasSet = true;
  }

  /** Moves the time on by `ns` nanoseconds. */
  advanceTime(ns: bigint): void {
    this.setTime(this.time + ns);
  }

  /** Executes one round on every subnet. A round takes a nanosecond. */
  tick(): void {
    if (this.timeWasSet) this.timeWasSet = false;
    else this.time += 1n;
    for (const subnet of this.subnets) {
      this.executors
        .get(subnet)!
        .execute(this.context(subnet), (message) => this.payerOf(subnet, message as Submitted));
    }
  }

  /**
   * Submits an update call. Throws UserError when the canister's or the subnet's checks refuse it
   * (stopped, out of cycles, inspect_message), IcError when no subnet takes it.
   */
  submitIngress(call: IngressCall): { messageId: Uint8Array } {
    const subnet = this.subnetFor(call);
    const expiry = call.expiry ?? this.time + INGRESS_TTL_NS;
    const nonce = call.nonce ?? this.nextNonce();
    const messageId = call.messageId ?? messageIdOf({ ...call, expiry, nonce });
    const messageKey = idKey(messageId);
    const fields = {
      sender: call.sender,
      receiver: call.canisterId,
      method: call.method,
      arg: call.arg,
    };
    const bytes = ingressBytes(fields) + MESSAGE_ID_BYTES;
    if (bytes > MAX_INGRESS_BYTES) {
      throw new IcError(
        'BadIngressMessage',
        `Request 0x${messageKey} is too large. Message byte size ${bytes} is larger than the max allowed ${MAX_INGRESS_BYTES}.`,
      );
    }
    if (subnet.ingressHistory.get(messageKey)) return { messageId };
    const payer = this.checkIngress(subnet, call);
    const message: Submitted = {
      kind: 'ingress',
      messageId,
      messageKey,
      ...fields,
      expiry,
      payer: payer?.id,
    };
    subnet.ingressPool.push(message);
    subnet.ingressHistory.add(messageKey, {
      messageId,
      sender: call.sender,
      receiver: call.canisterId,
      status: { status: 'received' },
      changedAt: this.time,
    });
    return { messageId };
  }

  /** State of an update call. */
  ingressStatus(messageId: Uint8Array): IngressStatus {
    return this.ingressRecord(messageId)?.status ?? { status: 'unknown' };
  }

  /** What is known of an update call. */
  ingressRecord(messageId: Uint8Array): IngressRecord | undefined {
    const key = idKey(messageId);
    for (const subnet of this.subnets) {
      const record = subnet.ingressHistory.get(key);
      if (record) return record;
    }
    return undefined;
  }

  /** Answers a query call from the latest state. Throws UserError. */
  query(call: QueryCall): Uint8Array {
    const subnet = this.subnetFor(call);
    const context = this.context(subnet);
    if (call.canisterId.length === 0) {
      return managementRoom.executeManagementQuery(new ManagementHost(this.network, context), {
        method: call.method,
        sender: call.sender,
        arg: call.arg,
        effectiveCanisterId: call.effectiveCanisterId,
      });
    }
    const canister = subnet.canister(call.canisterId);
    if (!canister) {
      throw new UserError(
        ErrorCode.CanisterNotFound,
        `Canister ${principalToText(call.canisterId)} not found`,
      );
    }
    return executeQuery(context, canister, call);
  }

  /** An existing canister. */
  canister(id: Uint8Array): Canister | undefined {
    return this.subnetOf(id)?.canister(id);
  }

  canisterExists(id: Uint8Array): boolean {
    return this.canister(id) !== undefined;
  }

  /** The subnet whose ranges hold a canister id, whether or not the canister exists. */
  subnetOf(id: Uint8Array): Subnet | undefined {
    const number = canisterNumber(id);
    if (number === undefined) return undefined;
    return this.subnets.find((subnet) =>
      subnet.ranges.some(({ first, last }) => first <= number && number <= last),
    );
  }

  /** What things cost on a subnet. */
  fees(subnet: Subnet): Fees {
    return this.feesOf.get(subnet)!;
  }

  /** Cycles of a canister. Throws IcError when there is none. */
  cyclesBalance(id: Uint8Array): bigint {
    return this.existing(id).balance;
  }

  /** Adds cycles out of nothing; returns the new balance. */
  addCycles(id: Uint8Array, amount: bigint): bigint {
    const canister = this.existing(id);
    canister.balance += amount;
    return canister.balance;
  }

  /** Whole stable memory; empty when there is no code. */
  stableMemory(id: Uint8Array): Uint8Array {
    const { code } = this.existing(id);
    if (!code) return new Uint8Array(0);
    const bytes = new Uint8Array(code.stable.sizeBytes);
    code.stable.read(0, bytes);
    return bytes;
  }

  /** Replaces the stable memory of a canister with code. */
  setStableMemory(id: Uint8Array, bytes: Uint8Array): void {
    const { code } = this.existing(id);
    if (!code) {
      throw new IcError(
        'CanisterHasNoCode',
        `Canister ${principalToText(id)} has no code: install some first.`,
      );
    }
    code.stable.restore(snapshotOf(bytes));
  }

  /** What an execution on a subnet depends on, for the present time. */
  context(subnet: Subnet): ExecutionContext {
    const fees = this.fees(subnet);
    return {
      subnet,
      fees,
      limits: subnet.isSystem ? SYSTEM_LIMITS : APPLICATION_LIMITS,
      schedule: this.costs,
      timeNs: this.time,
      rootKey: this.rootKey,
      hasThresholdKeys: this.subnets.some(({ kind }) => kind === 'fiduciary'),
      unroutable: (method, arg) => this.unroutable(method, arg),
      subnetMemory: new SubnetMemoryView(subnet, fees),
      dataCertificate: (canister) => this.dataCertificate(canister),
      observer: this.observer,
    };
  }

  /** The management canister's view of a subnet. */
  managementContext(subnet: Subnet): ManagementHost {
    return new ManagementHost(this.network, this.context(subnet));
  }

  /** Answers a waiting HTTPS outcall of a subnet. Returns whether there is one with this id. */
  answerHttpOutcall(subnet: Subnet, requestId: number, answer: HttpAnswer): boolean {
    return answerHttpOutcall(this.managementContext(subnet), subnet, requestId, answer);
  }

  private unroutable(method: string, arg: Uint8Array): DestinationError | undefined {
    try {
      managementRoom.resolveDestination(method, arg, (id) => this.subnetOf(id) !== undefined);
      return undefined;
    } catch (error) {
      if (error instanceof DestinationError) return error;
      throw error;
    }
  }

  private existing(id: Uint8Array): Canister {
    const canister = this.canister(id);
    if (!canister)
      throw new IcError('CanisterNotFound', `Canister ${principalToText(id)} not found`);
    return canister;
  }

  /** The subnet that takes a call. Throws IcError when there is none. */
  private subnetFor(call: {
    readonly canisterId: Uint8Array;
    readonly effectiveCanisterId?: Uint8Array;
    readonly subnetId?: Uint8Array;
  }): Subnet {
    if (call.canisterId.length > 0) {
      const subnet = this.subnetOf(call.canisterId);
      if (subnet) return subnet;
      throw new IcError(
        'BadIngressMessage',
        `Canister ${principalToText(call.canisterId)} does not belong to any subnet.`,
      );
    }
    if (call.subnetId) {
      const subnet = this.network.subnetById(call.subnetId);
      if (subnet) return subnet;
      throw new IcError('SubnetNotFound', `There is no subnet ${principalToText(call.subnetId)}.`);
    }
    if (call.effectiveCanisterId && call.effectiveCanisterId.length > 0) {
      const subnet = this.subnetOf(call.effectiveCanisterId);
      if (subnet) return subnet;
      throw new IcError(
        'BadIngressMessage',
        `Canister ${principalToText(call.effectiveCanisterId)} does not belong to any subnet.`,
      );
    }
    const first = this.subnets.find(({ kind }) => kind === 'application') ?? this.subnets[0];
    if (first) return first;
    throw new IcError('SubnetNotFound', 'The network has no subnet.');
  }

  /** The ingress filter. Returns who pays for the message. */
  private checkIngress(subnet: Subnet, call: IngressCall): Canister | undefined {
    const context = this.context(subnet);
    if (call.canisterId.length > 0) {
      checkSubmission(context, { ...call, receiver: call.canisterId });
      return subnet.canister(call.canisterId);
    }
    const payer = managementRoom.checkManagementIngress(new ManagementHost(this.network, context), {
      method: call.method,
      sender: call.sender,
      arg: call.arg,
      effectiveCanisterId: call.effectiveCanisterId,
    });
    if (payer) {
      const fee = context.fees.ingress(ingressBytes({ ...call, receiver: call.canisterId }));
      checkIngressFee(context, payer, fee, payer.isController(call.sender));
    }
    return payer;
  }

  private payerOf(subnet: Subnet, message: Submitted): Canister | undefined {
    return message.payer && subnet.canister(message.payer);
  }

  private randomBytes(): Uint8Array {
    const hash = createHash('sha256').update(`canopy local-ic randomness ${this.randomCounter++}`);
    return new Uint8Array(hash.digest());
  }

  private nextNonce(): Uint8Array {
    const nonce = new Uint8Array(8);
    new DataView(nonce.buffer).setBigUint64(0, this.nonceCounter++);
    return nonce;
  }
}
