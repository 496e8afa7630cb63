/** Who caused a change of a canister. */
export type ChangeOrigin =
  | { readonly kind: 'from_user'; readonly userId: Uint8Array }
  | {
      readonly kind: 'from_canister';
      readonly canisterId: Uint8Array;
      readonly canisterVersion: bigint | undefined;
    };

/** What was changed. */
export type ChangeDetails =
  | {
      readonly kind: 'creation';
      readonly controllers: readonly Uint8Array[];
      readonly environmentVariablesHash: Uint8Array | undefined;
    }
  | { readonly kind: 'code_uninstall' }
  | {
      readonly kind: 'code_deployment';
      readonly mode: 'install' | 'reinstall' | 'upgrade';
      readonly moduleHash: Uint8Array;
    }
  | {
      readonly kind: 'load_snapshot';
      readonly canisterVersion: bigint;
      readonly snapshotId: Uint8Array;
      readonly takenAt: bigint;
      readonly source: 'taken_from_canister' | 'metadata_upload';
      readonly fromCanisterId: Uint8Array | undefined;
    }
  | { readonly kind: 'controllers_change'; readonly controllers: readonly Uint8Array[] };

/** One entry of a canister's history (`canister_info`). */
export interface CanisterChange {
  readonly timestamp: bigint;
  readonly canisterVersion: bigint;
  readonly origin: ChangeOrigin;
  readonly details: ChangeDetails;
}

/** The last 20 changes of a canister, and how many there were. */
export class CanisterHistory {
  static readonly MAX_CHANGES = 20;
  readonly changes: CanisterChange[] = [];
  totalChanges = 0n;

  add(change: CanisterChange): void {
    this.changes.push(change);
    if (this.changes.length > CanisterHistory.MAX_CHANGES) this.changes.shift();
    this.totalChanges++;
  }

  /** Bytes that the history counts towards the canister's memory. */
  memoryBytes(): number {
    let bytes = 0;
    for (const change of this.changes) bytes += changeBytes(change);
    return bytes;
  }
}

/** Sizes of the replica's records: 160 bytes each, plus 30 for each controller listed. */
function changeBytes(change: CanisterChange): number {
  const details = change.details;
  const controllers =
    details.kind === 'creation' || details.kind === 'controllers_change'
      ? details.controllers.length
      : 0;
  return 160 + 30 * controllers;
}
