/**
 * The parts of `@icp-sdk/canisters` that its contract test uses. The package's own declarations name
 * files without endings, which TypeScript does not find from ECMAScript modules.
 */
import type { HttpAgent } from '@icp-sdk/core/agent';
import type { Principal } from '@icp-sdk/core/principal';
import * as cmc from '@icp-sdk/canisters/cmc';
import * as management from '@icp-sdk/canisters/ic-management';
import * as cycles from '@icp-sdk/canisters/ledger/cycles';
import * as icp from '@icp-sdk/canisters/ledger/icp';
import * as icrc from '@icp-sdk/canisters/ledger/icrc';

interface Options {
  readonly agent: HttpAgent;
  readonly canisterId?: Principal;
}
interface Factory<T> {
  create(options: Options): T;
}
interface Of {
  readonly canisterId: Principal;
}
interface Chunk {
  readonly hash: Uint8Array;
}
interface Account {
  readonly owner: Principal;
  readonly subaccount: [] | [Uint8Array];
}

export interface Management {
  provisionalCreateCanisterWithCycles(
    of: Of & { amount: bigint; settings: object },
  ): Promise<Principal>;
  canisterStatus(of: Of & { certified: boolean }): Promise<{ settings: Record<string, unknown> }>;
  installCode(of: Of & { mode: object; wasmModule: Uint8Array; arg: Uint8Array }): Promise<void>;
  uploadChunk(of: Of & { chunk: Uint8Array }): Promise<Chunk>;
  storedChunks(of: Of): Promise<Chunk[]>;
  clearChunkStore(of: Of): Promise<void>;
  installChunkedCode(of: {
    mode: object;
    arg: Uint8Array;
    chunkHashesList: Chunk[];
    targetCanisterId: Principal;
    wasmModuleHash: string;
  }): Promise<void>;
  stopCanister(canisterId: Principal): Promise<void>;
  startCanister(canisterId: Principal): Promise<void>;
  takeCanisterSnapshot(of: Of): Promise<{ id: Uint8Array }>;
  listCanisterSnapshots(of: Of): Promise<unknown[]>;
  loadCanisterSnapshot(of: Of & { snapshotId: Uint8Array }): Promise<void>;
  deleteCanisterSnapshot(of: Of & { snapshotId: Uint8Array }): Promise<void>;
  readCanisterSnapshotMetadata(
    of: Of & { snapshotId: Uint8Array },
  ): Promise<{ wasmModuleSize: bigint }>;
  fetchCanisterLogs(canisterId: Principal): Promise<{ canister_log_records: unknown[] }>;
}
export interface Icrc {
  transactionFee(of: object): Promise<bigint>;
  balance(of: { owner: Principal }): Promise<bigint>;
  transfer(of: { to: Account; amount: bigint; created_at_time: bigint }): Promise<bigint>;
}
export interface CyclesLedger {
  withdraw(of: { to: Principal; amount: bigint }): Promise<bigint>;
}
export interface IcpLedger {
  transactionFee(): Promise<bigint>;
  transfer(of: { to: Identifier; amount: bigint; memo?: bigint }): Promise<bigint>;
  icrc1Transfer(of: { to: Account; amount: bigint }): Promise<bigint>;
  accountBalance(of: { accountIdentifier: Identifier }): Promise<bigint>;
}
export interface Minting {
  getIcpToCyclesConversionRate(): Promise<bigint>;
  getDefaultSubnets(): Promise<Principal[]>;
  notifyTopUp(of: { canister_id: Principal; block_index: bigint }): Promise<bigint>;
}
/** An account identifier of the ICP ledger. */
export type Identifier = object;
interface Identifiers {
  fromPrincipal(of: { principal: Principal; subAccount?: object }): Identifier;
}
interface SubAccounts {
  fromPrincipal(principal: Principal): object;
}

type Module = Record<string, unknown>;
export const IcManagementCanister = (management as Module)[
  'IcManagementCanister'
] as Factory<Management>;
export const IcrcLedgerCanister = (icrc as Module)['IcrcLedgerCanister'] as Factory<Icrc>;
export const CyclesLedgerCanister = (cycles as Module)[
  'CyclesLedgerCanister'
] as Factory<CyclesLedger>;
export const IcpLedgerCanister = (icp as Module)['IcpLedgerCanister'] as Factory<IcpLedger>;
export const CmcCanister = (cmc as Module)['CmcCanister'] as Factory<Minting>;
export const AccountIdentifier = (icp as Module)['AccountIdentifier'] as Identifiers;
export const SubAccount = (icp as Module)['SubAccount'] as SubAccounts;
/** The value `Public` of the enumerations of visibilities. */
export const PUBLIC = 1;
