import { describe, expect, it } from 'vitest';
import { canisterIdFromNumber, idKey } from '../../principal.js';
import { profileOf } from '../../costs/index.js';
import { Canister, defaultSettings, Subnet } from '../../state/index.js';
import { limitsOf } from '../limits.js';
import { UNIT_OF_WORK, WORKER } from '../testing/canisters.js';
import { TestIc } from '../testing/test-ic.js';
import { ActiveCanistersScheduler } from './index.js';

const B = 1e9;
const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return new Uint8Array(bytes);
};
const unitsOf = (instructions: number): Uint8Array => u32(Math.round(instructions / UNIT_OF_WORK));

/** Works as many units as its argument says, then passes it on to the ids that follow in it. */
const LINK = `(module
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $append (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 1) (table funcref (elem $nothing)) (data (i32.const 0) "work")
  (func $nothing (param i32))
  (func (export "canister_update work") (local $left i32) (local $size i32)
    (local.set $size (call $arg_size))
    (call $arg_copy (i32.const 16) (i32.const 0) (local.get $size))
    (local.set $left (i32.load (i32.const 16)))
    (loop $again
      (memory.fill (i32.const 5000) (i32.const 1) (i32.const 50000))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (if (i32.gt_u (local.get $size) (i32.const 4)) (then
      (call $call_new (i32.const 20) (i32.const 10) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $append (i32.const 16) (i32.const 4))
      (call $append (i32.const 30) (i32.sub (local.get $size) (i32.const 14)))
      (drop (call $perform))))
    (call $reply)))`;

/** A network of the scheduler's profile that notes where messages of a million instructions ran. */
class Observed extends TestIc {
  readonly ran: { canister: number; round: number; iteration: number }[] = [];
  readonly ids: Uint8Array[] = [];

  constructor(wat: string, canisters: number) {
    super({ costs: '2026-11' });
    for (let index = 0; index < canisters; index++) this.ids.push(this.create(wat));
    const first = this.ic.subnets[0]!.round + 1;
    this.ic.observer = ({ canisterId, round, iteration, instructions }) => {
      if (instructions < 100_000) return;
      const canister = this.ids.findIndex((id) => idKey(id) === idKey(canisterId)) + 1;
      this.ran.push({ canister, round: round - first + 1, iteration });
    };
  }
}

describe('a chain of four canisters with messages of 1.9 B', () => {
  it('has two of them in a round', () => {
    const net = new Observed(LINK, 4);
    const arg = Buffer.concat([unitsOf(1.9 * B), ...net.ids.slice(1)]);
    net.submit(net.ids[0]!, 'work', new Uint8Array(arg));
    for (let round = 0; round < 3; round++) net.ic.tick();
    expect(net.ran).toEqual([
      { canister: 1, round: 1, iteration: 0 },
      { canister: 2, round: 1, iteration: 1 },
      { canister: 3, round: 2, iteration: 0 },
      { canister: 4, round: 2, iteration: 1 },
    ]);
  });
});

describe('five canisters with more than they can do', () => {
  it('work in four of five rounds each', () => {
    const subnet = new Subnet(Uint8Array.of(1), 'application', [], { first: 0n, last: 9n });
    const canisters = [1, 2, 3, 4, 5].map((number) => {
      const id = canisterIdFromNumber(BigInt(number));
      const canister = new Canister(id, subnet.key, defaultSettings([]), 0n, 0n);
      canister.tasks.push('heartbeat');
      subnet.canisters.set(canister.key, canister);
      return canister;
    });
    const numberOf = (canister: Canister): number => canisters.indexOf(canister) + 1;
    const scheduler = new ActiveCanistersScheduler(subnet, limitsOf(profileOf('2026-11')));
    const orders: number[][] = [];
    for (let round = 1; round <= 6; round++) {
      scheduler.startRound(round);
      const threads = scheduler.startIteration(true);
      const companion = threads[0]![1]!;
      orders.push([...threads.map(([first]) => numberOf(first!)), numberOf(companion)]);
      for (const [first] of threads) scheduler.noteTurn(first!, 0);
      scheduler.finishRound();
    }
    expect(orders).toEqual([
      [1, 2, 3, 4, 5],
      [5, 1, 2, 3, 4],
      [4, 5, 1, 2, 3],
      [3, 4, 5, 1, 2],
      [2, 3, 4, 5, 1],
      [1, 2, 3, 4, 5],
    ]);
  });
});

describe('a message of 8 B beside short ones', () => {
  it('has a thread of its own from its second round on, and ends in its fifth', () => {
    const net = new Observed(WORKER, 7);
    const long = net.submit(net.ids[0]!, 'work', unitsOf(8 * B));
    const answered: number[] = [];
    for (let round = 1; round <= 5; round++) {
      const shorts = net.ids.slice(1).map((id) => net.submit(id, 'work', unitsOf(0.001 * B)));
      net.ic.tick();
      answered.push(shorts.filter((id) => net.status(id).status === 'replied').length);
      expect(net.status(long).status).toBe(round < 5 ? 'processing' : 'replied');
    }
    // Dealt behind the first slice, the fifth canister waits for the second round: then it has two.
    expect(answered[0]).toBe(5);
    expect(answered.slice(1)).toEqual([6, 6, 6, 6]);
    const waiting = net.ran.filter(({ canister }) => canister === 5);
    expect(waiting.map(({ round }) => round)).toEqual([2, 2, 3, 4, 5]);
    const slices = net.ran.filter(({ canister }) => canister === 1);
    expect(slices.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5]);
    const during = net.ran.filter(({ round }) => round < 5);
    expect(during.every(({ iteration }) => iteration === 0)).toBe(true);
  });

  it('leaves no thread of its own to a second one until it ends', () => {
    const net = new Observed(WORKER, 7);
    for (const id of net.ids.slice(0, 2)) net.submit(id, 'work', unitsOf(4.1 * B));
    for (let round = 1; round <= 5; round++) {
      for (const id of net.ids.slice(2)) net.submit(id, 'work', unitsOf(0.001 * B));
      net.ic.tick();
    }
    const roundsOf = (wanted: number): number[] =>
      net.ran.filter(({ canister }) => canister === wanted).map(({ round }) => round);
    expect(roundsOf(1)).toEqual([1, 2, 3]);
    // The first one's last slice is short: the second goes on behind it.
    expect(roundsOf(2)).toEqual([1, 3, 4]);
  });
});

describe('debts', () => {
  const WRITER = `(module
    (import "ic0" "msg_reply" (func $reply))
    (memory 700) (global $times (mut i32) (i32.const 0))
    (func (export "canister_update fill")
      (global.set $times (i32.add (global.get $times) (i32.const 1)))
      (memory.fill (i32.const 0) (global.get $times) (i32.const 20971520)) (call $reply))
    (func (export "canister_update add") (call $reply)))`;

  it('of changed memory keep a canister out until they are paid', () => {
    const net = new TestIc({ costs: '2026-11' });
    const id = net.create(WRITER);
    for (let message = 0; message < 10; message++) net.submit(id, 'fill');
    net.ic.tick();
    const { scheduler } = net.ic.canister(id)!;
    expect(scheduler.heapDeltaDebit).toBe(10 * 20_971_520 - 78_643_200);
    const added = net.submit(id, 'add');
    net.ic.tick();
    expect(net.status(added).status).toBe('received');
    net.ic.tick();
    expect(net.status(added).status).toBe('replied');
  });

  it('of an installation keep a canister’s messages waiting', () => {
    const net = new TestIc({ costs: '2026-11' });
    const id = net.create(WRITER);
    net.ic.canister(id)!.scheduler.installCodeDebit = 5 * B;
    const added = net.submit(id, 'add');
    const rounds: string[] = [];
    for (let round = 0; round < 3; round++) {
      net.ic.tick();
      rounds.push(net.status(added).status);
    }
    expect(rounds).toEqual(['received', 'received', 'replied']);
  });
});

describe('what a canister pays for being there', () => {
  it('is charged each fiftieth round, for the time since', () => {
    const net = new TestIc({ costs: '2026-11' });
    const id = net.create(WORKER);
    const before = net.ic.cyclesBalance(id);
    net.ic.advanceTime(100_000_000_000n);
    while (net.ic.subnets[0]!.round % 50 !== 49) net.ic.tick();
    expect(net.ic.cyclesBalance(id)).toBe(before);
    net.ic.tick();
    const charged = before - net.ic.cyclesBalance(id);
    // The fee of 10,000 cycles a second, and the storage of 64 KiB and a little.
    expect(charged).toBeGreaterThan(100n * 10_000n);
    expect(charged).toBeLessThan(100n * 10_100n);
  });
});
