import { describe, expect, it } from 'vitest';
import { CanisterLog } from './logs.js';

const text = (length: number): Uint8Array => new Uint8Array(length).fill(97);

describe('CanisterLog', () => {
  it('keeps the newest records that fit, numbered on', () => {
    const log = new CanisterLog();
    for (let i = 0; i < 10; i++) log.add(BigInt(i), text(1000));
    expect(log.records.map(({ idx }) => idx)).toEqual([7n, 8n, 9n]);
    expect(log.usedBytes).toBe(3 * 1040);
    expect(log.nextIdx).toBe(10n);
  });

  it('cuts a record that is too long by itself', () => {
    const log = new CanisterLog();
    log.add(0n, text(5000));
    expect(log.records[0]!.content).toHaveLength(4056);
    expect(log.remainingBytes).toBe(0);
  });

  it('numbers what a message printed on from the log', () => {
    const log = new CanisterLog();
    log.add(0n, text(1));
    const printed = new CanisterLog(0n);
    printed.add(1n, text(2));
    printed.add(1n, text(3));
    log.append(printed);
    expect(log.records.map(({ idx }) => idx)).toEqual([0n, 1n, 2n]);
    log.clear();
    log.add(2n, text(1));
    expect(log.records.map(({ idx }) => idx)).toEqual([3n]);
  });
});
