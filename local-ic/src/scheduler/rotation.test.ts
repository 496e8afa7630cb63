import { describe, expect, it } from 'vitest';
import { chachaBlock, drawFrom } from './rotation.js';

describe('chachaBlock', () => {
  it('gives the key stream of the all-zero key (RFC 8439, appendix A.1, test vector 1)', () => {
    const block = chachaBlock(new Array<number>(8).fill(0), 0);
    expect(Buffer.from(block.buffer).toString('hex')).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
    );
  });
});

describe('drawFrom', () => {
  it('stays in range, reaches every number, and depends on the seed alone', () => {
    const drawn = Array.from({ length: 200 }, (_, seed) => drawFrom(BigInt(seed), 5));
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(drawFrom(1_767_225_600_000_000_007n, 5)).toBe(drawFrom(1_767_225_600_000_000_007n, 5));
  });
});
