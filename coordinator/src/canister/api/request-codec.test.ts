import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter, coordinatorIdl, encodeBundle } from '@canopy/protocol';
import { anyTensors } from '../../testing/any-tensors.js';
import { GatherWriter } from '../bytes/gather-writer.js';
import type { FetchOutcome, ReleaseOutcome } from '../pipeline/fetch.js';
import type { InferOutcome, SubmitOutcome } from '../pipeline/infer.js';
import {
  readNat,
  readNat64,
  readNatAndNat32,
  readRequest,
  writeDoneReply,
  writeFetchReply,
  writeInferReply,
  writeSubmitReply,
  type OrError,
} from './request-codec.js';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
const method = (name: string): IDL.FuncClass => service._fields.find(([key]) => key === name)![1];

/** What the library reads from a value that was written by hand after the library's type table. */
function readBack(
  type: IDL.Type[],
  sample: unknown,
  sampleBytes: number,
  write: (out: ByteWriter) => void,
): unknown {
  const whole = IDL.encode(type, [sample]);
  const out = new GatherWriter().bytes(whole.slice(0, whole.length - sampleBytes));
  write(out);
  return IDL.decode(type, out.finish())[0];
}

const principal = fc.uint8Array({ maxLength: 29 }).map((bytes) => Principal.fromUint8Array(bytes));
const u32 = fc.nat(0xffffffff);
/** Tickets: of 64 bits, or of 192. */
const ticket = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 192n) - 1n }),
);
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const error = fc.record({ code: fc.string(), message: fc.string(), retryable: fc.boolean() });
const stage = fc.record({
  worker: principal,
  instructions: u64,
  messages: u32,
  bytesReceived: fc.nat(Number.MAX_SAFE_INTEGER),
  bytesSent: fc.nat(Number.MAX_SAFE_INTEGER),
  scratchBytes: u32,
});
const blob = fc.uint8Array({ maxLength: 700 });
const toOpt = <T>(value: T | undefined): [] | [T] => (value === undefined ? [] : [value]);

describe('Candid by hand is Candid', () => {
  test('reply of infer', () => {
    const outcome: fc.Arbitrary<OrError<InferOutcome>> = fc.oneof(
      fc.record({
        kind: fc.constant('done' as const),
        outputs: anyTensors,
        microBatches: u32,
        stages: fc.array(stage, { maxLength: 4 }),
      }),
      fc.record({ kind: fc.constant('ticket' as const), ticket }),
      fc.record({ kind: fc.constant('err' as const), error }),
    );
    fc.assert(
      fc.property(outcome, (given) => {
        const read = readBack(method('infer').retTypes, { ticket: 0n }, 2, (out) => {
          writeInferReply(out, given);
        });
        if (given.kind === 'ticket') expect(read).toEqual({ ticket: given.ticket });
        else if (given.kind === 'err') expect(read).toEqual({ err: given.error });
        else {
          expect(read).toEqual({
            ok: {
              outputs: encodeBundle(given.outputs),
              micro_batches: given.microBatches,
              stages: given.stages.map((one) => ({
                worker: one.worker,
                instructions: one.instructions,
                messages: one.messages,
                bytes_received: BigInt(one.bytesReceived),
                bytes_sent: BigInt(one.bytesSent),
                scratch_bytes: one.scratchBytes,
              })),
            },
          });
        }
      }),
    );
  });

  test('reply of fetch', () => {
    const outcome: fc.Arbitrary<OrError<FetchOutcome>> = fc.oneof(
      fc.record({ kind: fc.constant('pending' as const), done: u32, total: u32 }),
      fc.record({ kind: fc.constant('part' as const), bytes: blob, total: u32 }),
      fc.record({ kind: fc.constant('err' as const), error }),
    );
    fc.assert(
      fc.property(outcome, (given) => {
        const sample = { pending: { done: 0, total: 0 } };
        const read = readBack(method('fetch').retTypes, sample, 9, (out) => {
          writeFetchReply(out, given);
        });
        if (given.kind === 'err') expect(read).toEqual({ err: given.error });
        else {
          const { kind, ...content } = given;
          expect(read).toEqual({ [kind]: content });
        }
      }),
    );
  });

  test('replies of submit and release', () => {
    const failed = fc.record({ kind: fc.constant('err' as const), error });
    const submitted: fc.Arbitrary<OrError<SubmitOutcome>> = fc.oneof(
      fc.record({ kind: fc.constant('ok' as const), ticket }),
      failed,
    );
    const released: fc.Arbitrary<OrError<ReleaseOutcome>> = fc.oneof(
      fc.constant({ kind: 'ok' as const }),
      failed,
    );
    fc.assert(
      fc.property(submitted, released, (submit, release) => {
        const submitReply = readBack(method('submit').retTypes, { ok: 0n }, 2, (out) => {
          writeSubmitReply(out, submit);
        });
        const expected = submit.kind === 'ok' ? { ok: submit.ticket } : { err: submit.error };
        expect(submitReply).toEqual(expected);
        const releaseReply = readBack(method('release').retTypes, { ok: null }, 1, (out) => {
          writeDoneReply(out, release);
        });
        expect(releaseReply).toEqual(release.kind === 'ok' ? { ok: null } : { err: release.error });
      }),
    );
  });

  test('arguments (nat64), (nat) and (nat, nat32)', () => {
    fc.assert(
      fc.property(u64, ticket, u32, (number, id, offset) => {
        const fixed = IDL.encode(method('cancel').argTypes, [number]);
        expect(readNat64(fixed)).toEqual([number]);
        expect(readNat(fixed)).toBeUndefined();
        const one = IDL.encode(method('release').argTypes, [id]);
        expect(readNat(one)).toEqual([id]);
        expect(readNat64(one)).toBeUndefined();
        expect(readNatAndNat32(one)).toBeUndefined();
        const two = IDL.encode(method('fetch').argTypes, [id, offset]);
        expect(readNatAndNat32(two)).toEqual([id, offset]);
        expect(readNat(two)).toBeUndefined();
        expect(readNat(Uint8Array.of(1, ...one).subarray(1))).toEqual([id]);
      }),
    );
  });

  test('malformed numbers are left to the library', () => {
    const whole = IDL.encode(method('fetch').argTypes, [7n, 8]);
    for (let length = 0; length < whole.length; length++) {
      expect(readNatAndNat32(whole.slice(0, length))).toBeUndefined();
    }
    expect(readNatAndNat32(Uint8Array.of(...whole, 0))).toBeUndefined();
    const wrongType = IDL.encode([IDL.Nat, IDL.Int32], [7n, 8]);
    expect(readNatAndNat32(wrongType)).toBeUndefined();
  });

  const requestTypes = method('infer').argTypes;
  const deadline = fc.option(u32, { nil: undefined }).map((seconds) => toOpt(seconds));
  const number = fc.option(
    fc.record({ id: u64, digest: u64, deadline_seconds: deadline }, { noNullPrototype: true }),
    { nil: undefined },
  );

  test('arguments of a request', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), blob, number, (name, bytes, given) => {
        const encoded = IDL.encode(requestTypes, [name, bytes, toOpt(given)]);
        expect(readRequest(encoded)).toEqual(IDL.decode(requestTypes, encoded));
      }),
    );
  });

  const withoutDeadline = IDL.Opt(IDL.Record({ id: IDL.Nat64, digest: IDL.Nat64 }));
  const earlierTypes = [...requestTypes.slice(0, 2), withoutDeadline];

  test('arguments of a request of callers that know of no deadline', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), blob, number, (name, bytes, given) => {
        const encoded = IDL.encode(earlierTypes, [name, bytes, toOpt(given)]);
        expect(readRequest(encoded)).toEqual(IDL.decode(requestTypes, encoded));
      }),
    );
  });

  test('arguments of a request without the number', () => {
    const types = requestTypes.slice(0, 2);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), blob, (name, bytes) => {
        const encoded = IDL.encode(types, [name, bytes]);
        expect(readRequest(encoded)).toEqual([...IDL.decode(types, encoded), []]);
      }),
    );
  });

  test('what has another form is left to the library', () => {
    expect(readRequest(IDL.encode([IDL.Text], ['a']))).toBeUndefined();
    const given = [[], [7]].map((seconds) => [{ id: 1n, digest: 2n, deadline_seconds: seconds }]);
    for (const [types, last] of [
      [requestTypes.slice(0, 2), undefined],
      [requestTypes, given[0]],
      [requestTypes, given[1]],
      [earlierTypes, given[0]],
    ] as const) {
      const values = ['name', new Uint8Array(300), ...(last ? [last] : [])];
      const whole = IDL.encode(types, values);
      for (let length = 0; length < whole.length; length++) {
        expect(readRequest(whole.slice(0, length))).toBeUndefined();
      }
      expect(readRequest(Uint8Array.of(...whole, 0))).toBeUndefined();
    }
  });
});
