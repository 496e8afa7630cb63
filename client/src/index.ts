export type { Limits } from './abort.js';
export {
  AbortError,
  CallRejected,
  CanopyError,
  TimeoutError,
  UnreachableError,
  toCanopyError,
  type CanopyErrorCode,
} from './errors.js';
export type { RetryOptions } from './retry.js';
export * from './coordinator-client.js';
export { WorkerClient } from './worker-client.js';
export {
  CyclesLedgerClient,
  cyclesLedgerId,
  hasCyclesLedger,
  trillions,
  type Creation,
  type CreationOrder,
} from './cycles/ledger.js';
export { canisterHealth, isSilent, type CanisterHealth } from './deploy/canister-health.js';
export { canisterLogs, type LogLine } from './deploy/canister-logs.js';
export { canisterStatus, type CanisterStatus } from './deploy/canister-status.js';
export { refuseAnonymous } from './deploy/anonymous.js';
export * from './deploy/deploy.js';
export * from './deploy/inspect.js';
export type { CanisterCycles } from './deploy/options.js';
export * from './deploy/manifest.js';
export { placeText } from '@canopy/protocol';
export * from './deploy/progress.js';
export * from './deploy/remove.js';
export {
  rollBack,
  upgradeDeployment,
  type Modules,
  type UpgradeOptions,
  type UpgradeReport,
  type UpgradeSettings,
} from './deploy/upgrade.js';
export type { DeployableModel, UploadOptions } from './deploy/upload.js';
export * from './deploy/worker-config.js';
export { KeyIdentity, identityFromPem, loadIdentity } from './identity/identity.js';
export * from './session/session.js';
export type { TensorLike } from './session/tensors.js';
export { viewAs, type NumericArray } from './session/typed-array.js';
export {
  AgentTransport,
  httpTransport,
  type AgentCallOptions,
  type AgentTransportOptions,
  type HttpTransportOptions,
} from './transport/agent.js';
export type { AgentLike, IdentityLike } from './transport/agent-shape.js';
export { isLocalNetwork, isLoopback } from './transport/network.js';
export { install, provisionalCreate, type ManagementCall } from './transport/management.js';
export { PocketIcTransport, rejectCodes, type PocketIcLike } from './transport/pocket-ic.js';
export type {
  CallOptions,
  CreateOptions,
  InstallMode,
  InstallOptions,
  Transport,
} from './transport/transport.js';
