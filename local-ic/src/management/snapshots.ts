import { ErrorCode, UserError } from '../errors.js';
import { idKey, principalToText, sameId } from '../principal.js';
import {
  type Canister,
  type CanisterSnapshot,
  type Code,
  type ManagementContext,
} from '../state/index.js';
import {
  controlled,
  decodeArgs,
  originOf,
  refuseWhilePaused,
  reply,
  replyUnit,
  withFailure,
  withReadableSnapshots,
  type Method,
} from './call.js';
import { CHUNK_BYTES } from './chunks.js';
import { canisterNotFound, failure, notController } from './errors.js';
import { lowWasmMemory } from './settings.js';
import { restoreHeap } from './snapshot-heap.js';
import {
  canisterIdRecord,
  listSnapshotsReply,
  loadSnapshotArgs,
  snapshotIdArgs,
  snapshotReply,
  takeSnapshotArgs,
} from './types.js';

/** Instructions of taking or loading a snapshot, besides one for each byte. */
export const SNAPSHOT_BASELINE_INSTRUCTIONS = 2_000_000_000;
const MAX_SNAPSHOTS = 10;

/** `take_canister_snapshot` */
export const takeSnapshot: Method = (context, call) => {
  const args = decodeArgs(takeSnapshotArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  const replaced = snapshotToReplace(context, canister, args.replace_snapshot);
  const size = snapshotBytes(canister);
  const instructions = SNAPSHOT_BASELINE_INSTRUCTIONS + size;
  checkGrowth(context, canister, size - (replaced?.sizeBytes ?? 0));
  const { code } = canister;
  if (code === undefined) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `Failed to create snapshot for empty canister ${principalToText(canister.id)}:`,
    );
  }
  chargeForSnapshot(context, canister, instructions);
  if (replaced) removeSnapshot(context, canister, replaced);
  const snapshot = copyOf(context, canister, code, size);
  addSnapshot(context, canister, snapshot);
  if (args.uninstall_code === true) {
    context.uninstallCode(canister, originOf(call, args.sender_canister_version));
  }
  return reply(snapshotReply, snapshotRecord(snapshot), { instructions });
};

/** `load_canister_snapshot` */
export const loadSnapshot: Method = (context, call) => {
  const args = decodeArgs(loadSnapshotArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  const snapshot = loadableSnapshot(context, canister, args.snapshot_id, call.sender);
  refuseWhilePaused(
    canister,
    `The canister ${principalToText(canister.id)} is currently executing a long-running message.`,
  );
  const { code, instructions } = context.createCode(canister, snapshot.wasmModuleBytes);
  restoreHeap(code, snapshot);
  code.stable.restore(snapshot.stable);
  const before = canister.code;
  const balance = canister.balance;
  canister.code = code;
  try {
    checkUploaded(canister, snapshot);
    chargeForSnapshot(context, canister, SNAPSHOT_BASELINE_INSTRUCTIONS);
    chargeForSnapshot(context, canister, instructions + snapshot.sizeBytes);
  } catch (error) {
    canister.code = before;
    canister.balance = balance;
    throw error;
  }
  canister.chunkStore.clear();
  for (const [key, chunk] of snapshot.chunkStore) canister.chunkStore.set(key, chunk);
  canister.certifiedData = snapshot.certifiedData;
  if (snapshot.source === 'metadata_upload') {
    canister.globalTimer = snapshot.globalTimer;
    canister.lowWasmMemoryHook = snapshot.lowWasmMemoryHook;
  }
  canister.version++;
  canister.recordChange(context.timeNs, originOf(call, args.sender_canister_version), {
    kind: 'load_snapshot',
    canisterVersion: snapshot.canisterVersion,
    snapshotId: snapshot.id,
    takenAt: snapshot.takenAt,
    source: snapshot.source,
    fromCanisterId: sameId(snapshot.canisterId, canister.id) ? undefined : snapshot.canisterId,
  });
  return replyUnit({ instructions });
};

/** `list_canister_snapshots` */
export const listSnapshots: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  const canister = withReadableSnapshots(context, canister_id, call.sender);
  const snapshots = canister.snapshotIds.map((key) => context.subnet.snapshots.get(key)!);
  return reply(listSnapshotsReply, snapshots.map(snapshotRecord));
};

/** `delete_canister_snapshot` */
export const deleteSnapshot: Method = (context, call) => {
  const args = decodeArgs(snapshotIdArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  removeSnapshot(context, canister, ownSnapshot(context, canister, args.snapshot_id));
  return replyUnit();
};

/** A snapshot of this canister. Throws UserError. */
export function ownSnapshot(
  context: ManagementContext,
  canister: Canister,
  id: Uint8Array,
): CanisterSnapshot {
  const snapshot = context.subnet.snapshots.get(idKey(id));
  if (snapshot === undefined) throw snapshotNotFound(canister, id);
  if (!sameId(snapshot.canisterId, canister.id)) {
    throw failure(
      ErrorCode.CanisterRejectedMessage,
      `The snapshot ${snapshotText(id)} does not belong to canister ${principalToText(canister.id)}.`,
      'Use the `list_canister_snapshot` API to see which snapshots are present.',
      'canister-snapshot-invalid-ownership',
    );
  }
  return snapshot;
}

/** The snapshot to be replaced; without one, checks that there is room for another. Throws UserError. */
export function snapshotToReplace(
  context: ManagementContext,
  canister: Canister,
  id: Uint8Array | undefined,
): CanisterSnapshot | undefined {
  if (id !== undefined) return ownSnapshot(context, canister, id);
  if (canister.snapshotIds.length < MAX_SNAPSHOTS) return undefined;
  throw failure(
    ErrorCode.CanisterRejectedMessage,
    `Canister ${principalToText(canister.id)} has reached the maximum number of snapshots allowed: ${MAX_SNAPSHOTS}.`,
    'Consider deleting an unnecessary snapshot of the specified canister before creating a new one.',
    'bare:canister-snapshot-limit-exceeded',
  );
}

export function addSnapshot(
  context: ManagementContext,
  canister: Canister,
  snapshot: CanisterSnapshot,
): void {
  const key = idKey(snapshot.id);
  context.subnet.snapshots.set(key, snapshot);
  canister.snapshotIds.push(key);
  canister.snapshotsBytes += snapshot.sizeBytes;
}

export function removeSnapshot(
  context: ManagementContext,
  canister: Canister,
  snapshot: CanisterSnapshot,
): void {
  const key = idKey(snapshot.id);
  context.subnet.snapshots.delete(key);
  canister.snapshotIds.splice(canister.snapshotIds.indexOf(key), 1);
  canister.snapshotsBytes -= snapshot.sizeBytes;
}

/** The id of a canister's next snapshot: a number of 8 bytes, then the canister's id. */
export function nextSnapshotId(canister: Canister): Uint8Array {
  const id = new Uint8Array(8 + canister.id.length);
  new DataView(id.buffer).setBigUint64(0, canister.nextSnapshotNumber++);
  id.set(canister.id, 8);
  return id;
}

/** Takes cycles for instructions. Throws UserError (CanisterOutOfCycles). */
export function chargeForSnapshot(
  context: ManagementContext,
  canister: Canister,
  instructions: number,
): void {
  withFailure(
    () => {
      context.chargeInstructions(canister, instructions);
    },
    (error) =>
      failure(
        ErrorCode.CanisterOutOfCycles,
        `Canister snapshotting failed with: \`${error.message}\``,
        'Try sending more cycles with the request.',
        'bare:canister-snapshot-not-enough-cycles',
      ),
  );
}

export function checkGrowth(context: ManagementContext, canister: Canister, bytes: number): void {
  if (bytes > 0) context.checkMemoryGrowth(canister, BigInt(bytes));
}

function snapshotBytes(canister: Canister): number {
  const memory = canister.memoryMetrics();
  return (
    memory.wasmMemory +
    memory.stableMemory +
    memory.globalMemory +
    memory.wasmBinary +
    canister.chunkStore.size * CHUNK_BYTES +
    canister.certifiedData.length
  );
}

function copyOf(
  context: ManagementContext,
  canister: Canister,
  code: Code,
  sizeBytes: number,
): CanisterSnapshot {
  return {
    id: nextSnapshotId(canister),
    canisterId: canister.id,
    takenAt: context.timeNs,
    canisterVersion: canister.version,
    source: 'taken_from_canister',
    sizeBytes,
    wasmModuleBytes: code.moduleBytes,
    module: code.module,
    heap: code.instance.saveState(),
    uploadedHeap: undefined,
    uploadedGlobals: undefined,
    stable: code.stable.snapshot(),
    certifiedData: canister.certifiedData,
    chunkStore: new Map(canister.chunkStore),
    globalTimer: canister.globalTimer,
    lowWasmMemoryHook: canister.lowWasmMemoryHook,
  };
}

function loadableSnapshot(
  context: ManagementContext,
  canister: Canister,
  id: Uint8Array,
  sender: Uint8Array,
): CanisterSnapshot {
  const snapshot = context.subnet.snapshots.get(idKey(id));
  if (snapshot === undefined) throw snapshotNotFound(canister, id);
  if (sameId(snapshot.canisterId, canister.id)) return snapshot;
  const owner = context.subnet.canister(snapshot.canisterId);
  if (owner === undefined) throw canisterNotFound(snapshot.canisterId);
  if (!owner.isController(sender)) throw notController(owner, sender);
  return snapshot;
}

/** An uploaded snapshot must fit the state that comes of it. */
function checkUploaded(canister: Canister, snapshot: CanisterSnapshot): void {
  if (snapshot.source !== 'metadata_upload') return;
  const low = lowWasmMemory(canister);
  if (low === (snapshot.lowWasmMemoryHook !== 'condition_not_satisfied')) return;
  throw new UserError(
    ErrorCode.InvalidManagementPayload,
    `Hook status (${snapshot.lowWasmMemoryHook}) of uploaded snapshot is inconsistent with the canister's state (hook condition satisfied: ${low}).`,
  );
}

function snapshotRecord(snapshot: CanisterSnapshot): {
  id: Uint8Array;
  taken_at_timestamp: bigint;
  total_size: bigint;
} {
  return {
    id: snapshot.id,
    taken_at_timestamp: snapshot.takenAt,
    total_size: BigInt(snapshot.sizeBytes),
  };
}

function snapshotNotFound(canister: Canister, id: Uint8Array): UserError {
  return failure(
    ErrorCode.CanisterSnapshotNotFound,
    `Could not find the snapshot ID ${snapshotText(id)} for canister ${principalToText(canister.id)}.`,
    'Use the `list_canister_snapshot` API to see which snapshots are present.',
    'canister-snapshot-not-found',
  );
}

/** `<canister id>-<number>` */
function snapshotText(id: Uint8Array): string {
  const number = new DataView(id.buffer, id.byteOffset).getBigUint64(0);
  return `${principalToText(id.subarray(8))}-${number}`;
}
