import { idKey } from '../principal.js';
import type { Canister } from './canister.js';
import { IngressHistory } from './ingress-history.js';
import type { Ingress, Request, Response } from './messages.js';
import type { CanisterSnapshot } from './snapshots.js';

/** Kinds of subnets, by PocketIC's names. */
export type SubnetKind =
  | 'application'
  | 'verified_application'
  | 'system'
  | 'nns'
  | 'ii'
  | 'sns'
  | 'fiduciary'
  | 'bitcoin';

/** What to create a subnet with. */
export interface SubnetSpec {
  readonly kind: SubnetKind;
}

/** First and last canister number (inclusive) that a subnet hosts. */
export interface CanisterRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** A call of `http_request` that waits for its answer. */
export interface HttpOutcall {
  readonly request: Request;
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: Uint8Array;
  readonly maxResponseBytes: bigint | undefined;
  /** Cycles of the call that are used. */
  readonly fee: bigint;
}

/** A subnet with its canisters. */
export class Subnet {
  readonly key: string;
  /** Canisters by id in hex. */
  readonly canisters = new Map<string, Canister>();
  readonly ingressHistory = new IngressHistory();
  /** Snapshots by id in hex. */
  readonly snapshots = new Map<string, CanisterSnapshot>();
  /** Calls to the management canister that wait, in order. */
  readonly managementQueue: (Ingress | Request)[] = [];
  /** Messages that leave the round: to other subnets, and those of this one not delivered in it. */
  readonly streams = new Map<string, (Request | Response)[]>();
  /** Ingress messages accepted and not yet taken in. */
  readonly ingressPool: Ingress[] = [];
  /** HTTPS outcalls that wait for an answer, by request id. */
  readonly httpOutcalls = new Map<number, HttpOutcall>();
  nextHttpOutcall = 0;
  /** Hashes in hex of the modules that were compiled here. */
  readonly compiledModules = new Set<string>();
  /** Instructions of the first slice of an installation that was just paused. */
  firstSliceInstructions = 0;
  /** Rounds executed. */
  round = 0;
  /** Number of the next canister created. */
  nextCanister: bigint;

  constructor(
    readonly id: Uint8Array,
    readonly kind: SubnetKind,
    readonly ranges: readonly CanisterRange[],
    /** Range that {@link nextCanister} counts through. */
    readonly allocation: CanisterRange,
  ) {
    this.key = idKey(id);
    this.nextCanister = allocation.first;
  }

  /** System subnets charge nothing and have other limits. */
  get isSystem(): boolean {
    return (
      this.kind === 'system' || this.kind === 'nns' || this.kind === 'ii' || this.kind === 'bitcoin'
    );
  }

  canister(id: Uint8Array): Canister | undefined {
    return this.canisters.get(idKey(id));
  }

  /** Canisters ordered by id. */
  sortedCanisters(): Canister[] {
    return [...this.canisters.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}
