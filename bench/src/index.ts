export { benchmark, randomInput, type BenchmarkOptions } from './custom.js';
export { BenchIcError, type BenchIcErrorCode } from './ic/errors.js';
export type { IcChoice } from './ic/open.js';
export { roundTransport, type RoundCalls } from './ic/round-transport.js';
export { icText } from './report/ic-text.js';
export { runTable } from './report/run-table.js';
export * from './results/schema.js';
export { trialRun } from './trial.js';
export { writeDecoder, type DecoderShape } from './models/decoder.js';
