import { limits, profileOf, type Profile } from '../costs/index.js';
import type { SubnetKind } from './subnet.js';

const GIB = 1024n ** 3n;
const SECONDS_PER_DAY = 86_400n;
/** Seconds between two charges for storage and compute allocation. */
export const ALLOCATION_CHARGE_PERIOD_NS = 10_000_000_000n;

const prices = limits.cyclesOn13NodeSubnet;

/** Cycles that a subnet of 13 nodes charges (limits.json `cyclesOn13NodeSubnet` and the public fee table). */
export const FEES_13_NODES = {
  canisterCreation: BigInt(prices.perCanisterCreation),
  ingressMessage: BigInt(prices.perIngressMessage),
  ingressByte: BigInt(prices.perIngressByte),
  call: BigInt(prices.perInterCanisterCall),
  callByte: BigInt(prices.perInterCanisterByte),
  updateMessage: BigInt(prices.perUpdateMessage),
  tenInstructions: BigInt(prices.perTenInstructions),
  computePercentSecond: 10_000_000n,
  httpRequestBase: 3_000_000n,
  httpRequestPerNode: 60_000n,
  httpRequestByte: 400n,
  httpResponseByte: 800n,
  ecdsaSignature: 10_000_000_000n,
  schnorrSignature: 10_000_000_000n,
  vetkdKey: 10_000_000_000n,
} as const;

/** Largest payload of a response, which every call pays ahead for. */
export const MAX_RESPONSE_BYTES = limits.messages.interCanisterResponseBytes;
/** Instruction limit of an update message. */
export const MESSAGE_INSTRUCTION_LIMIT = limits.instructions.perUpdateMessage;

/** Nodes of a subnet of each kind. */
const NODES: Readonly<Record<SubnetKind, number>> = {
  application: 13,
  verified_application: 13,
  system: 13,
  bitcoin: 13,
  fiduciary: 34,
  sns: 34,
  ii: 34,
  nns: 40,
};

const WASM64_FACTOR = BigInt(prices.wasm64InstructionFactor);

function instructionFee(n: number, memory64: boolean): bigint {
  const perTen = FEES_13_NODES.tenInstructions * (memory64 ? WASM64_FACTOR : 1n);
  return (perTen * BigInt(Math.ceil(n))) / 10n;
}

/**
 * What things cost on one subnet, in cycles. System subnets charge nothing. Instruction prices double
 * for 64-bit memory.
 */
export class Fees {
  readonly free: boolean;
  /** Nodes of the subnet, which its fees go with. */
  readonly nodes: number;

  constructor(
    readonly kind: SubnetKind,
    private readonly profile: Profile = profileOf('2026-07'),
  ) {
    this.free = kind === 'system' || kind === 'nns' || kind === 'ii' || kind === 'bitcoin';
    this.nodes = NODES[kind];
  }

  /** What a subnet of 13 nodes charges, on this subnet. */
  private scaled(fee: bigint): bigint {
    if (this.nodes === 13) return this.free ? 0n : fee;
    return this.free ? 0n : (fee * BigInt(this.nodes)) / 13n;
  }

  get canisterCreation(): bigint {
    return this.scaled(FEES_13_NODES.canisterCreation);
  }

  /** Taking in an ingress message of `bytes` (its CBOR envelope's content). */
  ingress(bytes: number): bigint {
    return (
      this.scaled(FEES_13_NODES.ingressMessage) +
      this.scaled(FEES_13_NODES.ingressByte) * BigInt(bytes)
    );
  }

  /** `n` instructions, without the fee of the message. */
  instructions(n: number, memory64 = false): bigint {
    return this.scaled(instructionFee(n, memory64));
  }

  /** Executing a message of `n` instructions. */
  execution(n: number, memory64 = false): bigint {
    return this.scaled(FEES_13_NODES.updateMessage + instructionFee(n, memory64));
  }

  /** Sending a request with a payload of `bytes`. */
  request(bytes: number): bigint {
    return this.requestOf(BigInt(bytes));
  }

  /** The same for a number of bytes of any size. */
  requestOf(bytes: bigint): bigint {
    return this.scaled(FEES_13_NODES.call) + this.scaled(FEES_13_NODES.callByte * bytes);
  }

  /** Sending back a response of `bytes`; paid ahead by the caller for the largest one. */
  response(bytes: number): bigint {
    return this.scaled(FEES_13_NODES.callByte * BigInt(bytes));
  }

  /** Set aside when a call is made: the largest response's bytes. */
  get responsePrepayment(): bigint {
    return this.response(MAX_RESPONSE_BYTES);
  }

  /** Set aside when a call is made: executing its response. */
  callbackPrepayment(memory64 = false): bigint {
    return this.execution(MESSAGE_INSTRUCTION_LIMIT, memory64);
  }

  /** All that making a call takes at once (`ic0.cost_call`). */
  callTotal(payloadBytes: number, memory64 = false): bigint {
    return this.request(payloadBytes) + this.responsePrepayment + this.callbackPrepayment(memory64);
  }

  /** Storage of `bytes` for `ns` nanoseconds. */
  storage(bytes: bigint, ns: bigint): bigint {
    const gibSecond = BigInt(this.profile.prices.gibSecond);
    return this.scaled((bytes * gibSecond * (ns / 1_000_000_000n)) / GIB);
  }

  /** Keeping a canister that holds anything for `ns` nanoseconds. */
  canister(ns: bigint): bigint {
    return this.scaled(BigInt(this.profile.prices.canisterSecond) * (ns / 1_000_000_000n));
  }

  /** `n` instructions of the management canister for a canister. */
  managementWork(n: number): bigint {
    return this.profile.prices.managementWorkIsMessage ? this.execution(n) : this.instructions(n);
  }

  /** What is charged for storage of `bytes` when it is due, after `ns`: a share of the price of a day. */
  storageCharge(bytes: bigint, ns: bigint): bigint {
    const day = this.storage(bytes, SECONDS_PER_DAY * 1_000_000_000n);
    return (day * (ns / 1_000_000_000n)) / SECONDS_PER_DAY;
  }

  /** Compute allocation of `percent` for `ns` nanoseconds. */
  computeAllocation(percent: number, ns: bigint): bigint {
    const seconds = ns / 1_000_000_000n;
    return this.scaled(BigInt(percent) * FEES_13_NODES.computePercentSecond * seconds);
  }

  /** Cycles that an idle canister burns in a day. */
  idlePerDay(storedBytes: bigint, messageBytes: bigint, computePercent: number): bigint {
    const day = SECONDS_PER_DAY * 1_000_000_000n;
    return (
      (storedBytes > 0n ? this.canister(day) : 0n) +
      this.storage(storedBytes, day) +
      this.storage(messageBytes, day) +
      this.computeAllocation(computePercent, day)
    );
  }
}
