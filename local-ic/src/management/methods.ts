import type { Method } from './call.js';
import type { Type } from './candid/index.js';
import { clearChunkStore, storedChunks, uploadChunk } from './chunks.js';
import { installChunkedCode, installCode } from './code.js';
import {
  createCanister,
  depositCycles,
  provisionalCreateCanister,
  provisionalTopUp,
} from './creation.js';
import { httpRequest } from './http-outcalls.js';
import { deleteCanister, startCanister, stopCanister, uninstallCode } from './lifecycle.js';
import { nodeMetricsHistory, rawRand, subnetArgs, subnetInfo, unsupported } from './other.js';
import { updateSettings } from './settings.js';
import {
  readSnapshotData,
  readSnapshotMetadata,
  uploadSnapshotData,
  uploadSnapshotMetadata,
} from './snapshot-data.js';
import { deleteSnapshot, listSnapshots, loadSnapshot, takeSnapshot } from './snapshots.js';
import { canisterInfo, canisterMetadata, canisterMetrics, canisterStatus } from './status.js';
import * as types from './types.js';

/** How a method may be reached, and where a call of it goes. */
export interface MethodEntry {
  readonly execute: Method;
  /** Who may send it as an ingress message; 'never' is refused before its payload is read. */
  readonly ingress: 'controllers' | 'anyone' | 'canistersOnly' | 'never';
  /** Setting that lets others than controllers send it. */
  readonly visibility?: 'statusVisibility' | 'snapshotVisibility';
  /** Name in the replica's own enumeration, which some error texts show. */
  readonly name: string;
  /** Type of the argument; names the canister or subnet that the call is about, if any. */
  readonly args?: Type<object>;
  /** Field of the argument with that canister's id. */
  readonly target?: 'canister_id' | 'target_canister';
  /** Whether the method came in 2026. */
  readonly since2026?: true;
  /** Kind of threshold key that the method asks for. */
  readonly key?: 'ecdsa' | 'schnorr' | 'vetkd';
}

const about = (
  name: string,
  execute: Method,
  args: Type<object>,
  ingress: MethodEntry['ingress'] = 'controllers',
): MethodEntry => ({ name, execute, args, ingress, target: 'canister_id' });

const noKeys = unsupported('the embedded Internet Computer holds no threshold keys');
const noBitcoin = unsupported('the embedded Internet Computer is connected to no Bitcoin network');
const withKey = (name: string, key: 'ecdsa' | 'schnorr' | 'vetkd'): MethodEntry => ({
  name,
  execute: noKeys,
  ingress: 'never',
  key,
});
const bitcoin = (name: string): MethodEntry => ({ name, execute: noBitcoin, ingress: 'never' });

/** All methods of `aaaaa-aa`. */
export const methods: ReadonlyMap<string, MethodEntry> = new Map(
  Object.entries<MethodEntry>({
    create_canister: { name: 'CreateCanister', execute: createCanister, ingress: 'never' },
    provisional_create_canister_with_cycles: {
      name: 'ProvisionalCreateCanisterWithCycles',
      execute: provisionalCreateCanister,
      ingress: 'anyone',
    },
    provisional_top_up_canister: about(
      'ProvisionalTopUpCanister',
      provisionalTopUp,
      types.provisionalTopUpArgs,
      'anyone',
    ),
    deposit_cycles: about('DepositCycles', depositCycles, types.canisterIdRecord, 'never'),
    update_settings: about('UpdateSettings', updateSettings, types.updateSettingsArgs),
    install_code: about('InstallCode', installCode, types.installCodeArgs),
    install_chunked_code: {
      name: 'InstallChunkedCode',
      execute: installChunkedCode,
      args: types.installChunkedCodeArgs,
      ingress: 'controllers',
      target: 'target_canister',
    },
    uninstall_code: about('UninstallCode', uninstallCode, types.uninstallCodeArgs),
    start_canister: about('DepositCycles', startCanister, types.canisterIdRecord),
    stop_canister: about('DepositCycles', stopCanister, types.canisterIdRecord),
    delete_canister: about('DepositCycles', deleteCanister, types.canisterIdRecord),
    canister_status: {
      ...about('DepositCycles', canisterStatus, types.canisterIdRecord),
      visibility: 'statusVisibility',
    },
    canister_metrics: {
      ...about('CanisterMetrics', canisterMetrics, types.canisterIdRecord),
      since2026: true,
    },
    list_canisters: {
      name: 'ListCanisters',
      execute: unsupported('it is called by query'),
      ingress: 'never',
      since2026: true,
    },
    canister_info: about('CanisterInfo', canisterInfo, types.canisterInfoArgs, 'canistersOnly'),
    canister_metadata: about(
      'CanisterMetadata',
      canisterMetadata,
      types.canisterMetadataArgs,
      'canistersOnly',
    ),
    upload_chunk: about('UploadChunk', uploadChunk, types.uploadChunkArgs),
    stored_chunks: about('StoredChunks', storedChunks, types.canisterIdRecord),
    clear_chunk_store: about('ClearChunkStore', clearChunkStore, types.canisterIdRecord),
    take_canister_snapshot: about('TakeCanisterSnapshot', takeSnapshot, types.takeSnapshotArgs),
    load_canister_snapshot: about('LoadCanisterSnapshot', loadSnapshot, types.loadSnapshotArgs),
    list_canister_snapshots: {
      ...about('ListCanisterSnapshots', listSnapshots, types.canisterIdRecord),
      visibility: 'snapshotVisibility',
    },
    delete_canister_snapshot: about('DeleteCanisterSnapshot', deleteSnapshot, types.snapshotIdArgs),
    read_canister_snapshot_metadata: {
      ...about('ReadCanisterSnapshotMetadata', readSnapshotMetadata, types.snapshotIdArgs),
      visibility: 'snapshotVisibility',
    },
    read_canister_snapshot_data: {
      ...about('ReadCanisterSnapshotData', readSnapshotData, types.readSnapshotDataArgs),
      visibility: 'snapshotVisibility',
    },
    upload_canister_snapshot_metadata: about(
      'UploadCanisterSnapshotMetadata',
      uploadSnapshotMetadata,
      types.uploadSnapshotMetadataArgs,
    ),
    upload_canister_snapshot_data: about(
      'UploadCanisterSnapshotData',
      uploadSnapshotData,
      types.uploadSnapshotDataArgs,
    ),
    fetch_canister_logs: about(
      'FetchCanisterLogs',
      unsupported('only end users may read logs, in a query call'),
      types.canisterIdRecord,
      'never',
    ),
    raw_rand: { name: 'RawRand', execute: rawRand, ingress: 'never' },
    http_request: { name: 'HttpRequest', execute: httpRequest, ingress: 'never' },
    node_metrics_history: {
      name: 'NodeMetricsHistory',
      execute: nodeMetricsHistory,
      ingress: 'never',
      args: subnetArgs,
    },
    subnet_info: {
      name: 'SubnetInfo',
      execute: subnetInfo,
      ingress: 'never',
      args: subnetArgs,
    },
    ecdsa_public_key: withKey('ECDSAPublicKey', 'ecdsa'),
    sign_with_ecdsa: withKey('SignWithECDSA', 'ecdsa'),
    schnorr_public_key: withKey('SchnorrPublicKey', 'schnorr'),
    sign_with_schnorr: withKey('SignWithSchnorr', 'schnorr'),
    vetkd_public_key: withKey('VetKdPublicKey', 'vetkd'),
    vetkd_derive_key: withKey('VetKdDeriveKey', 'vetkd'),
    bitcoin_get_balance: bitcoin('BitcoinGetBalance'),
    bitcoin_get_utxos: bitcoin('BitcoinGetUtxos'),
    bitcoin_get_block_headers: bitcoin('BitcoinGetBlockHeaders'),
    bitcoin_send_transaction: bitcoin('BitcoinSendTransaction'),
    bitcoin_get_current_fee_percentiles: bitcoin('BitcoinGetCurrentFeePercentiles'),
  }),
);
