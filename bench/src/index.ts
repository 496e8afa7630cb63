export { benchmark, randomInput, type BenchmarkOptions } from './custom.js';
export { runTable } from './report/page.js';
export * from './results/schema.js';
