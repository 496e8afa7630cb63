/** For tests and tools of this workspace: the worker's module in process, without an Internet Computer. */
export { cut, Pipeline, type Shard } from './pipeline.js';
export { TestIc } from './test-ic.js';
export { workerModule } from './module.js';
