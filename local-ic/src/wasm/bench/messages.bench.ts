/**
 * Measures what a message costs besides its instructions: trivial messages, a heap of 3 GiB, a trap
 * that wrote 100 MiB, growth taken back, compiling. Run after a build:
 * `node local-ic/dist/wasm/bench/messages.bench.js [module.wasm]`.
 */
import { readFileSync } from 'node:fs';
import { assemble } from '../testing/assemble.js';
import { CanisterInstance, compileModule, type CostSchedule } from '../index.js';

const LIMIT = 1e15;

const text = (
  pages: number,
): string => `(module (memory ${pages}) (global $g (mut i32) (i32.const 0))
  (func (export "trivial") (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (i32.store (i32.const 1000) (i32.add (i32.load (i32.const 1000)) (i32.const 1))))
  (func (export "one page") (i64.store (i32.const ${pages * 65536 - 8}) (i64.const 1)))
  (func (export "grow") (drop (memory.grow (i32.const 16))))
  (func (export "write 100 MiB and trap") (local $p i32)
    (loop $l
      (i64.store (local.get $p) (i64.const -1))
      (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 8))) (i32.const 104857600))))
    (unreachable))
  (func (export "read 1 GiB") (local $p i32)
    (loop $l
      (drop (i64.load (local.get $p)))
      (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 64)))
        (i32.const 1073741824))))))`;

function time(label: string, turns: number, turn: () => void): void {
  for (let i = 0; i < Math.min(turns, 200); i++) turn();
  const start = performance.now();
  for (let i = 0; i < turns; i++) turn();
  const each = (performance.now() - start) / turns;
  console.log(`${label.padEnd(52)} ${(each * 1000).toFixed(1).padStart(12)} µs`);
}

function measure(schedule: CostSchedule): void {
  console.log(`schedule ${schedule}`);
  const instance = new CanisterInstance(compileModule(assemble(text(49152)), schedule), {});
  const message = (name: string, settle: 'commit' | 'rollback'): (() => void) => {
    const run = { export: name };
    return () => {
      instance.run(run, LIMIT);
      if (schedule === '2025-10') instance.changedHeapPages();
      instance[settle]();
    };
  };
  time('trivial update of a 3 GiB canister', 20_000, message('trivial', 'commit'));
  time('trivial query', 20_000, message('trivial', 'rollback'));
  time('message that writes the last page of 3 GiB', 20_000, message('one page', 'commit'));
  time('growth by 1 MiB, rolled back', 2000, message('grow', 'rollback'));
  time('1 GiB read, every 64 bytes', 3, message('read 1 GiB', 'commit'));
  time(
    '100 MiB written, then a trap and rollback',
    10,
    message('write 100 MiB and trap', 'rollback'),
  );
}

measure('2026-07');
measure('2025-10');
const path = process.argv[2];
if (path !== undefined) {
  const bytes = readFileSync(path);
  const start = performance.now();
  const module = compileModule(bytes, '2026-07');
  const compiled = performance.now();
  new CanisterInstance(module, new Proxy({}, { get: () => () => 0 }));
  const done = performance.now();
  console.log(
    `compiled in ${(compiled - start).toFixed(0)} ms, instance in ${(done - compiled).toFixed(0)} ms`,
  );
}
