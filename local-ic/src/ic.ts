import { profileOf } from './costs/index.js';
import { ErrorCode, IcError, UserError } from './errors.js';
import { answerHttpOutcall, managementRoom, type HttpAnswer } from './management/index.js';
import type { IcOptions, IngressCall, QueryCall } from './ic-types.js';
import { idKey, principalToText } from './principal.js';
import {
  executeQuery,
  limitsOf,
  ManagementHost,
  messageIdOf,
  payerOf,
  RoundExecutor,
  submit,
  subnetForCall,
  subnetHolding,
  SubnetMemoryView,
  type ExecutionContext,
  type ExecutionObserver,
  type Network,
} from './scheduler/index.js';
import { managementSubnet } from './scheduler/management-routing.js';
import { defaultSubnetId, makeSubnet } from './scheduler/topology.js';
import {
  Canister,
  defaultSettings,
  Fees,
  snapshotOf,
  type IngressRecord,
  type IngressStatus,
  type Subnet,
  type SubnetSpec,
} from './state/index.js';
import type { CostSchedule } from './wasm/index.js';

export type { IcOptions, IngressCall, QueryCall } from './ic-types.js';

/** When the Internet Computer began: the first time that a network may have. */
export const DEFAULT_TIME_NS = 1_620_328_630_000_000_000n;
const INGRESS_TTL_NS = 300_000_000_000n;

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
  /** Time of the latest round: what was set since is seen by no message yet. */
  private stateTime: bigint;
  private nonceCounter = 0n;

  private readonly executors = new Map<Subnet, RoundExecutor>();
  private readonly feesOf = new Map<Subnet, Fees>();
  private readonly network: Network;
  private readonly subnetId: (index: number, spec: SubnetSpec) => Uint8Array;

  constructor(options: IcOptions) {
    this.costs = options.costs ?? '2026-07';
    this.time = options.initialTimeNs ?? DEFAULT_TIME_NS;
    this.stateTime = this.time;
    this.subnetId = options.subnetId ?? defaultSubnetId;
    this.rootKey = options.rootKey ?? new Uint8Array(133);
    this.network = {
      schedule: this.costs,
      management: managementRoom,
      subnetOf: (id) => this.subnetOf(id),
      subnetById: (id) => this.subnets.find((subnet) => subnet.key === idKey(id)),
      findCanister: (id) => this.canister(id),
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
    this.feesOf.set(subnet, new Fees(spec.kind, profileOf(this.costs)));
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

  /**
   * Executes the first round, a nanosecond after the initial time: a PocketIC server has done so when
   * it hands out an instance.
   */
  firstRound(): void {
    this.advanceTime(1n);
    this.tick();
  }

  /** Executes one round on every subnet. A round takes a nanosecond. */
  tick(): void {
    if (this.timeWasSet) this.timeWasSet = false;
    else this.time += 1n;
    this.stateTime = this.time;
    for (const subnet of this.subnets) {
      this.executors
        .get(subnet)!
        .execute(this.context(subnet), (message) => payerOf(subnet, message));
    }
  }

  /**
   * Submits an update call. Throws UserError when the canister's or the subnet's checks refuse it
   * (stopped, out of cycles, inspect_message), IcError when no subnet takes it.
   */
  submitIngress(call: IngressCall): { messageId: Uint8Array } {
    const subnet = subnetForCall(this.subnets, call);
    const expiry = call.expiry ?? this.time + INGRESS_TTL_NS;
    const nonce = call.nonce ?? this.nextNonce();
    const messageId = call.messageId ?? messageIdOf({ ...call, expiry, nonce });
    const host = new ManagementHost(this.network, this.context(subnet, this.stateTime));
    submit(host, call, { messageId, expiry });
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
    const subnet = subnetForCall(this.subnets, call);
    const context = this.context(subnet, this.stateTime);
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
    return subnetHolding(this.subnets, id);
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

  /** What an execution on a subnet depends on at a time, without one at that of the next round. */
  context(subnet: Subnet, timeNs = this.time): ExecutionContext {
    const fees = this.fees(subnet);
    return {
      subnet,
      fees,
      limits: limitsOf(profileOf(this.costs), subnet.isSystem),
      schedule: this.costs,
      timeNs,
      rootKey: this.rootKey,
      hasThresholdKeys: this.subnets.some(({ kind }) => kind === 'fiduciary'),
      managementSubnet: (method, arg) => managementSubnet(this.network, subnet, method, arg),
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

  /**
   * Adds a canister without code and controllers at an id; its methods are set as `native`. Throws
   * IcError where no subnet holds the id.
   */
  addNativeCanister(id: Uint8Array): Canister {
    const subnet = this.subnetOf(id);
    if (!subnet) {
      throw new IcError('SubnetNotFound', `No subnet holds the id ${principalToText(id)}.`);
    }
    const canister = new Canister(id, subnet.key, defaultSettings([]), 0n, this.time);
    subnet.canisters.set(canister.key, canister);
    return canister;
  }

  /**
   * Calls the management canister of a subnet as a canister would, at once. Gives the Candid reply, or
   * why there is none; then the cycles were not used. Only for methods that answer at once.
   */
  manageFrom(
    sender: Uint8Array,
    subnet: Subnet,
    { method, arg, cycles }: { method: string; arg: Uint8Array; cycles: bigint },
  ): Uint8Array | UserError {
    const receiver = new Uint8Array(0);
    const message = { sender, receiver, callbackId: 0, method, arg, cycles, deadline: 0n };
    const outcome = managementRoom.executeManagementCall(
      new ManagementHost(this.network, this.context(subnet, this.stateTime)),
      { method, sender, arg, cycles, message: { kind: 'request', ...message } },
    );
    if (outcome.kind === 'pending') throw new Error(`${method} does not answer at once`);
    return outcome.kind === 'reply' ? outcome.data : outcome.error;
  }

  private existing(id: Uint8Array): Canister {
    const canister = this.canister(id);
    if (!canister)
      throw new IcError('CanisterNotFound', `Canister ${principalToText(id)} not found`);
    return canister;
  }

  private nextNonce(): Uint8Array {
    const nonce = new Uint8Array(8);
    new DataView(nonce.buffer).setBigUint64(0, this.nonceCounter++);
    return nonce;
  }
}
