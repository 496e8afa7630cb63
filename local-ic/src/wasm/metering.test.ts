import { describe, expect, it } from 'vitest';
import fixture from './fixtures/metering.json' with { type: 'json' };
import { assemble } from './testing/assemble.js';
import { MessageHost } from './testing/message-host.js';

type Measured = [name: string, unit: string, counts: number[]];

const COPIES = [0, 1, 2, 3];
const BATCH = 60;

/** A query that replies, for 0 to 3 copies of each unit, with what a function of them counts. */
function unitModule(units: readonly Measured[], wide: boolean): Uint8Array {
  const address = wide ? 'i64' : 'i32';
  const head = wide
    ? fixture.template
        .replace('(memory (export "memory") 10)', '(memory (export "memory") i64 10)')
        .replaceAll(
          'msg_reply_data_append (param i32 i32)',
          'msg_reply_data_append (param i64 i64)',
        )
    : fixture.template;
  const functions = units.flatMap(([, unit], i) =>
    COPIES.map((n) => `(func $f${i}_${n} (local $l i32) ${unit.repeat(n)})`),
  );
  const counter = '(call $performance_counter (i32.const 0))';
  const queries = units.map(([,], i) => {
    const body = COPIES.map(
      (n) => `(local.set $t ${counter}) (call $f${i}_${n})
        (i64.store (${address}.const 0) (i64.sub ${counter} (local.get $t)))
        (call $msg_reply_data_append (${address}.const 0) (${address}.const 8))`,
    );
    return `(func (export "q${i}") (local $t i64) ${body.join('\n')})`;
  });
  return assemble(`${head} ${functions.join('\n')} ${queries.join('\n')})`);
}

function batches(units: readonly Measured[]): Measured[][] {
  const list: Measured[][] = [];
  for (let i = 0; i < units.length; i += BATCH) list.push(units.slice(i, i + BATCH));
  return list;
}

const int64 = (bytes: Buffer, i = 0): number => Number(bytes.readBigInt64LE(8 * i));

describe('instruction counts, as measured on a replica', () => {
  const check = (units: readonly Measured[], wide: boolean): void => {
    for (const batch of batches(units)) {
      const host = new MessageHost(unitModule(batch, wide));
      batch.forEach(([name, , counts], i) => {
        host.runOk(`q${i}`);
        expect([name, COPIES.map((n) => int64(host.reply, n))]).toEqual([name, counts]);
        host.instance.commit();
      });
    }
  };

  it('of each instruction', () => {
    check(fixture.instructions as unknown as Measured[], false);
  });

  it('of instructions with a 64-bit memory', () => {
    check(fixture.instructionsWasm64 as unknown as Measured[], true);
  });

  it.each(fixture.structures)('of control structures: $name', ({ wat, runs }) => {
    const host = new MessageHost(assemble(wat));
    for (const [args, result, count] of runs as [number[], number, number][]) {
      host.runOk('canister_query q', new Uint8Array(Int32Array.from(args).buffer));
      expect([int64(host.reply), host.reply.readInt32LE(8)]).toEqual([count, result]);
      host.instance.rollback();
    }
  });

  it.each(fixture.random)('of random functions: $name', ({ wat, runs }) => {
    const host = new MessageHost(assemble(wat));
    for (const [args, result, count] of runs as unknown as [string[], string, number][]) {
      host.runOk('canister_query q', new Uint8Array(BigInt64Array.from(args.map(BigInt)).buffer));
      expect([int64(host.reply), host.reply.readBigInt64LE(8).toString()]).toEqual([count, result]);
      host.instance.rollback();
    }
  });
});
