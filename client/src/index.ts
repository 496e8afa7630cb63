export { CallRejected, CanopyError, toCanopyError, type CanopyErrorCode } from './errors.js';
export type { RetryOptions } from './retry.js';
export * from './coordinator-client.js';
export { WorkerClient } from './worker-client.js';
export { canisterStatus, type CanisterStatus } from './deploy/canister-status.js';
export * from './deploy/deploy.js';
export * from './deploy/inspect.js';
export * from './deploy/manifest.js';
export { placeText } from './deploy/place.js';
export * from './deploy/progress.js';
export * from './deploy/remove.js';
export type { DeployableModel, UploadOptions } from './deploy/upload.js';
export * from './deploy/worker-config.js';
export * from './session/session.js';
export type { TensorLike } from './session/tensors.js';
export { viewAs, type NumericArray } from './session/typed-array.js';
export { AgentTransport, httpTransport, type HttpTransportOptions } from './transport/agent.js';
export { install, provisionalCreate, type ManagementCall } from './transport/management.js';
export { PocketIcTransport, rejectCodes, type PocketIcLike } from './transport/pocket-ic.js';
export type {
  CreateOptions,
  InstallMode,
  InstallOptions,
  Transport,
} from './transport/transport.js';
