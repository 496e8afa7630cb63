import { gunzipSync } from 'node:zlib';
import type { PlannedModel } from '@canopy/partitioner';
import { dtypeBytes, encodeBundle, type Plan } from '@canopy/protocol';
import { Fees, profileOf, type ProfileName } from '@canopy/local-ic/prices';
import measured from './measured.json' with { type: 'json' };

/** The modules that canisters are installed with, gzipped. */
export interface Modules {
  coordinator: Uint8Array;
  worker: Uint8Array;
}

/** What a preview goes by. */
export interface Rates {
  profile: ProfileName;
  /** Price of a trillion cycles. */
  usDollarsPerTrillion: number;
  inferencesADay: number;
}

const pageBytes = 65_536;

/** Prices of a subnet of 13 nodes in cycles, as numbers. */
export class Prices {
  private readonly fees: Fees;

  constructor(profile: ProfileName) {
    this.fees = new Fees('application', profileOf(profile));
  }

  get creation(): number {
    return Number(this.fees.canisterCreation);
  }

  /** A message from outside with an argument of so many bytes. */
  ingress(bytes: number): number {
    return Number(this.fees.ingress(Math.ceil(bytes + measured.ingressOverheadBytes)));
  }

  /** So many messages that take so many instructions in all. */
  execution(instructions: number, messages = 1): number {
    const each = Number(this.fees.execution(0));
    return messages * each + Number(this.fees.instructions(Math.ceil(instructions)));
  }

  /** So many calls with arguments and answers of so many bytes in all. */
  calls(count: number, bytes = 0): number {
    return count * Number(this.fees.request(0)) + Number(this.fees.response(Math.ceil(bytes)));
  }

  /** A message from outside, executed. */
  update(bytes: number, instructions: number, messages = 1): number {
    return this.ingress(bytes) + this.execution(instructions, messages);
  }

  /** A day of an idle canister that stores so many bytes. */
  day(storedBytes: number): number {
    return Number(this.fees.idlePerDay(BigInt(Math.ceil(storedBytes)), 0n, 0));
  }
}

/** Bytes that a canister stores, which are paid for. */
export interface StoredBytes {
  heapBytes: number;
  stableBytes: number;
  /** With the module and what else counts. */
  storedBytes: number;
}

export function coordinatorMemory({ coordinator }: Modules): StoredBytes {
  const { heapBytes, stableBytes, otherBytes } = measured.coordinator;
  const storedBytes = heapBytes + stableBytes + coordinator.length + otherBytes;
  return { heapBytes, stableBytes, storedBytes };
}

/** Of a worker that has worked on a micro-batch. */
export function workerMemory(
  { plan, heapBytes: heaps }: PlannedModel,
  stage: number,
  { worker }: Modules,
): StoredBytes {
  const { otherBytes, stablePages } = measured.worker;
  const heapBytes = heaps[stage]!;
  const shardPages = Math.ceil(plan.stages[stage]!.shardBytes / pageBytes);
  const stableBytes = (shardPages + stablePages) * pageBytes;
  return {
    heapBytes,
    stableBytes,
    storedBytes: heapBytes + stableBytes + worker.length + otherBytes,
  };
}

/** Bytes of a request of one row, as a client sends them. */
export function requestBytes({ inputs, typicalDims, rowsIndependent }: Plan): number {
  const tensors = inputs.map(({ name, dtype, dims }) => {
    const sizes = dims.map((dim, axis) =>
      typeof dim === 'number' ? dim : axis === 0 && rowsIndependent ? 1 : (typicalDims[dim] ?? 1),
    );
    const elements = sizes.reduce((product, size) => product * size, 1);
    return { name, dtype, dims: sizes, data: new Uint8Array(elements * dtypeBytes(dtype)) };
  });
  return encodeBundle(tensors).length;
}

/** Cycles of installing a module: on a subnet that compiled it before, or did not. */
export function installation(
  prices: Prices,
  module: Uint8Array,
  instructionsPerByte: number,
  isKnown: boolean,
): number {
  const compiling = instructionsPerByte * gunzipSync(module).length;
  return prices.update(module.length, isKnown ? compiling * measured.compiledBefore : compiling);
}

export { measured };
