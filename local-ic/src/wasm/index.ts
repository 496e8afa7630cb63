export { HeapOutOfBounds, TrapSignal, WasmError, type WasmErrorCode } from './errors.js';
export { CanisterInstance, type PendingChanges } from './instance.js';
export { compileModule, type CanisterModule } from './module.js';
export * from './types.js';
export { inspectUpload, type UploadTraits } from './upload.js';
export { describeFrame } from './trap.js';
