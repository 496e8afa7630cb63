export * from './errors.js';
export * from './ic.js';
export type { ProfileName } from './costs/index.js';
export * from './local-canisters.js';
export * from './principal.js';
export type { ExecutedSlice, ExecutionObserver, TouchedPages } from './scheduler/index.js';
export type {
  Canister,
  CanisterSettings,
  Fees,
  IngressRecord,
  IngressStatus,
  Subnet,
  SubnetKind,
  SubnetSpec,
} from './state/index.js';
export {
  CYCLES_LEDGER,
  CYCLES_ENDOWMENT,
  SYSTEM_SUBNETS,
  installSystemCanisters,
  type SystemCanisters,
} from './system-canisters/index.js';
export { certifiedIc } from './certification/index.js';
export {
  startLive,
  startServer,
  type LiveNetwork,
  type LiveOptions,
  type RunningServer,
  type ServerOptions,
} from './http/index.js';
