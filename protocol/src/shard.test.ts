import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpCode } from './operators/index.js';
import { packMatrix, packedChannels, panelChannels } from './packing.js';
import { ProtocolError } from './error.js';
import { absentValue, decodeShardHead, encodeShardHead, weightsAlignment } from './shard.js';
import type { ShardProgram } from './shard.js';

const program: ShardProgram = {
  values: [
    { name: 'x', dtype: 'float32' },
    { name: 'w', dtype: 'float32', weight: { offset: 64, byteLength: 96, dims: [24] } },
    { name: 'größe', dtype: 'int64', weight: { offset: 0, byteLength: 16, dims: [2] } },
    { name: 'y', dtype: 'float32' },
  ],
  nodes: [
    {
      op: OpCode.Linear,
      name: 'dense',
      inputs: [0, 1, absentValue],
      outputs: [3],
      attributes: [4, 6, 0, 0, 0, 0x3f800000, 0],
      frees: [0],
    },
  ],
  inputs: [0],
  outputs: [3],
};

describe('shard', () => {
  it('decodes what it encoded and puts weights on a page', () => {
    const head = encodeShardHead(program, 160);
    expect(head.length % weightsAlignment).toBe(0);
    expect(decodeShardHead(head)).toEqual({
      program,
      weightsOffset: head.length,
      weightsLength: 160,
    });
  });

  it('refuses other files', () => {
    expect(() => decodeShardHead(new Uint8Array(64))).toThrow(ProtocolError);
    const other = encodeShardHead(program, 160);
    other[4] = 9;
    expect(() => decodeShardHead(other)).toThrow('version 9');
  });
});

describe('packed matrix', () => {
  it('holds each weight once where kernels look for it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 70 }), (k, n) => {
        const packed = packMatrix(k, n, (row, column) => row * 1000 + column + 1);
        expect(packed.length).toBe(k * packedChannels(n));
        for (let row = 0; row < k; row++) {
          for (let column = 0; column < n; column++) {
            const start = column - (column % panelChannels);
            const width = Math.min(panelChannels, packedChannels(n - start));
            expect(packed[start * k + row * width + (column - start)]).toBe(
              row * 1000 + column + 1,
            );
          }
        }
        expect(packed.filter((value) => value !== 0).length).toBe(k * n);
      }),
    );
  });
});
