import { describe, expect, test } from 'vitest';
import { decodeArgs } from './call.js';
import { encode, principal, record, blob, opt, nat64 } from './candid/index.js';
import {
  loadSnapshotArgs,
  readSnapshotDataArgs,
  snapshotIdArgs,
  takeSnapshotArgs,
  uploadSnapshotDataArgs,
} from './types.js';

const canister_id = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 1);
const withId = (length: number): Uint8Array =>
  encode(record({ canister_id: principal, snapshot_id: blob }), {
    canister_id,
    snapshot_id: new Uint8Array(length),
  });

describe('the id of a snapshot', () => {
  test.each([8, 18, 37])('may have %i bytes', (length) => {
    expect(decodeArgs(snapshotIdArgs, withId(length)).snapshot_id).toHaveLength(length);
  });

  test.each([
    [7, 'minumum'],
    [0, 'minumum'],
    [38, 'maximum'],
  ])('of %i bytes is refused', (length, bound) => {
    expect(() => decodeArgs(snapshotIdArgs, withId(length))).toThrow(
      'Error decoding candid: Fail to decode argument 0 from table0 to ' +
        'record { canister_id : principal; snapshot_id : blob }: Deserialize error: ' +
        `Invalid length of SnapshotId: Invalid snapshot ID length: provided ${length}, ${bound} length expected 37.`,
    );
  });

  test('is read in every method that has one', () => {
    for (const decode of [
      () => decodeArgs(loadSnapshotArgs, withId(1)),
      () => decodeArgs(readSnapshotDataArgs, withId(1)),
      () => decodeArgs(uploadSnapshotDataArgs, withId(1)),
    ]) {
      expect(decode).toThrow('Invalid length of SnapshotId');
    }
    const replacing = encode(record({ canister_id: principal, replace_snapshot: opt(blob) }), {
      canister_id,
      replace_snapshot: new Uint8Array(3),
    });
    expect(() => decodeArgs(takeSnapshotArgs, replacing)).toThrow(
      'to record { replace_snapshot : opt blob; canister_id : principal }: Deserialize error',
    );
  });

  test('wide types are named on several lines', () => {
    const sent = encode(
      record({ canister_id: principal, snapshot_id: blob, sender_canister_version: opt(nat64) }),
      { canister_id, snapshot_id: new Uint8Array(1), sender_canister_version: 1n },
    );
    expect(() => decodeArgs(loadSnapshotArgs, sent)).toThrow(
      'record {\n  canister_id : principal;\n  sender_canister_version : opt nat64;\n  snapshot_id : blob;\n}: Deserialize',
    );
  });
});
