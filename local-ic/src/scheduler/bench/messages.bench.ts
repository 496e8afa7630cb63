/**
 * Measures how many messages a second the whole engine takes. Run after a build:
 * `node local-ic/dist/scheduler/bench/messages.bench.js`.
 */
import { TestIc } from '../testing/test-ic.js';

/** Counts its messages, and calls another canister (its argument) as often as asked. */
const CANISTER = `(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $call_perform (result i32)))
  (memory 1)
  (table funcref (elem $next))
  (data (i32.const 100) "hit")
  (func $next (param i32)
    (if (i32.eqz (i32.load (i32.const 0))) (then (call $reply) return))
    (i32.store (i32.const 0) (i32.sub (i32.load (i32.const 0)) (i32.const 1)))
    (call $call_new (i32.const 4) (i32.const 10) (i32.const 100) (i32.const 3)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (drop (call $call_perform)))
  (func (export "canister_update hit")
    (i32.store (i32.const 20) (i32.add (i32.load (i32.const 20)) (i32.const 1)))
    (call $reply))
  (func (export "canister_update ring")
    (call $arg (i32.const 0) (i32.const 0) (i32.const 14))
    (call $next (i32.const 0)))
  (func (export "canister_query nothing") (call $reply)))`;

function report(label: string, count: number, run: () => void): void {
  const start = performance.now();
  run();
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${label.padEnd(48)} ${Math.round(count / seconds)
      .toString()
      .padStart(8)} /s`,
  );
}

for (const costs of ['2026-07', '2025-10'] as const) {
  console.log(`schedule ${costs}`);
  const test = new TestIc({ costs });
  const a = test.create(CANISTER, {}, 10n ** 18n);
  const b = test.create(CANISTER, {}, 10n ** 18n);
  const others = Array.from({ length: 30 }, () => test.create(CANISTER, {}, 10n ** 18n));
  const updates = (count: number): void => {
    for (let i = 0; i < count; i++) test.update(a, 'hit');
  };
  updates(2000);
  report('updates, one a round', 10_000, () => {
    updates(10_000);
  });
  report('updates, 500 a round, 30 canisters', 15_000, () => {
    for (let round = 0; round < 30; round++) {
      const ids = Array.from({ length: 500 }, (_, i) => test.submit(others[i % 30]!, 'hit'));
      for (const id of ids) test.await(id);
    }
  });
  const arg = (count: number): Uint8Array => Uint8Array.of(count & 255, count >> 8, 0, 0, ...b);
  report('calls between two canisters, one at a time', 20_000, () => {
    for (let i = 0; i < 20; i++) test.update(a, 'ring', arg(1000));
  });
  report('queries', 20_000, () => {
    for (let i = 0; i < 20_000; i++) test.query(a, 'nothing');
  });
}
