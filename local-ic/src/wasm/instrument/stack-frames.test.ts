import { describe, expect, it } from 'vitest';
import { analyse } from '../testing/analyse.js';
import { assemble } from '../testing/assemble.js';
import { MessageHost } from '../testing/message-host.js';
import { scanModule, StackUse } from './module-scan.js';
import { frameBytes } from './stack-frames.js';

const frame = (text: string): number => {
  const { code, parameters, flow } = analyse(`(module (memory 1) ${text})`);
  return frameBytes(code, parameters, flow);
};

describe('frames of the stack', () => {
  it('are as deep recursion on a replica shows them', () => {
    const sum = `(func $f (param i64) (result i64)
      (i64.add (call $f (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))`;
    expect(frame(sum)).toBe(32);
    const product = `(func $f (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (i64.const 1))))
      (i64.add (local.get 0)
        (i64.mul (call $f (i64.sub (local.get 0) (i64.const 1))) (i64.const 3))))`;
    expect(frame(product)).toBe(48);
  });

  it('keep locals that are read after a call, also in the next turn of a loop', () => {
    const after = (body: string): number =>
      frame(`(func $f (param $x i32) (local $y i32) ${body})`);
    expect(after('(call $f (local.get $x))')).toBe(32);
    expect(after('(call $f (i32.const 0)) (drop (local.get $x))')).toBe(48);
    expect(
      after('(call $f (i32.const 0)) (local.set $x (i32.const 1)) (drop (local.get $x))'),
    ).toBe(32);
    expect(
      after('(loop $l (drop (local.get $x)) (call $f (i32.const 0)) (br_if $l (i32.const 0)))'),
    ).toBe(48);
  });

  it('only functions that may recurse, or call such, use the stack that is counted', () => {
    const { module } = analyse(`(module (table 1 funcref) (elem (i32.const 0) $indirect)
      (func $leaf) (func $self (call $self)) (func $caller (call $self) (call $leaf))
      (func $ping (call $pong)) (func $pong (call $ping)) (func $plain (call $leaf))
      (func $indirect (call_indirect (i32.const 0))) (func $other (param i32)
        (call_indirect (param i32) (i32.const 0) (i32.const 0))))`);
    const { none, passesOn, recursive } = StackUse;
    expect([...scanModule(module).stackUse.subarray(0, 8)]).toEqual([
      none,
      recursive,
      passesOn,
      recursive,
      recursive,
      none,
      recursive,
      none,
    ]);
  });

  it('are given back when a function returns', () => {
    const host = new MessageHost(
      assemble(`(module (memory 1)
        (func $down (param i32) (if (local.get 0) (then
          (call $down (i32.sub (local.get 0) (i32.const 1)))
          (call $down (i32.const 0)))))
        (func $tail (param i32) (if (local.get 0) (then
          (return_call $tail (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "f") (local $n i32)
          (local.set $n (i32.const 10000))
          (loop $l (call $down (i32.const 50))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (call $tail (i32.const 1000000))))`),
    );
    host.runOk('f');
  });
});
