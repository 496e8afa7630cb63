/**
 * Measures what metering costs: the same kernel bare and instrumented, in both cost schedules.
 * Run after a build: `node local-ic/dist/wasm/bench/metering.bench.js [--json]`.
 */
import wabtInit from 'wabt';
import { CanisterInstance, compileModule, type CostSchedule } from '../index.js';
import { kernels, PASSES } from './kernels.js';

const CALLS = 1;
const SAMPLES = 100;
const LIMIT = 1e15;

const wabt = await wabtInit();

function assemble(text: string): Uint8Array {
  return wabt.parseWat('kernel.wat', text, { simd: true }).toBinary({}).buffer;
}

/** Nanoseconds a call, the best of many samples (the first ones warm the engine up). */
function best(call: () => void): number {
  let least = Infinity;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    const took = Number(process.hrtime.bigint() - start) / CALLS;
    if (took < least) least = took;
  }
  return least;
}

function metered(bytes: Uint8Array, schedule: CostSchedule): number {
  const instance = new CanisterInstance(compileModule(bytes, schedule), {});
  return best(() => {
    const outcome = instance.run({ export: 'kernel' }, LIMIT);
    if (outcome.kind !== 'returned') throw new Error(outcome.trap.kind);
    instance.commit();
  });
}

const results = kernels.map(({ name, work, text }) => {
  const bytes = assemble(text);
  const bare = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const bareNs = best(bare.exports['kernel'] as () => void);
  const ratio = (schedule: CostSchedule): number => bareNs / metered(bytes, schedule);
  return {
    kernel: name,
    'ns a unit, bare': bareNs / work / PASSES,
    '2026-07': ratio('2026-07'),
    '2025-10': ratio('2025-10'),
  };
});

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(results));
} else {
  console.log('Speed of the metered kernel, bare = 1 (page charges of a call included):');
  console.table(
    results.map((row) => ({
      ...row,
      'ns a unit, bare': row['ns a unit, bare'].toFixed(3),
      '2026-07': row['2026-07'].toFixed(2),
      '2025-10': row['2025-10'].toFixed(2),
    })),
  );
}
