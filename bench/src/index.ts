export { benchmark, randomInput, type BenchmarkOptions } from './custom.js';
export { runTable } from './report/run-table.js';
export * from './results/schema.js';
