import { describe, expect, it } from 'vitest';
import fixture from './fixtures/nan-bits.json' with { type: 'json' };
import { assemble } from './testing/assemble.js';
import { MessageHost } from './testing/message-host.js';

describe('results that are not numbers', () => {
  it.each(fixture.runs)('have the bits recorded on a replica, argument %s', (argument, reply) => {
    const host = new MessageHost(assemble(fixture.wat));
    host.runOk('canister_update nan', Buffer.from(argument, 'hex'));
    expect(host.reply.toString('hex')).toBe(reply);
  });

  it('keep the bits of a value that an accumulation starts from and never changes', () => {
    const host = new MessageHost(
      assemble(`(module (memory 1)
        (data (i32.const 0) "\\01\\00\\a0\\7f\\00\\00\\80\\3f\\00\\00\\c0\\ff\\00\\00\\00\\00")
        (func (export "sum") (local $s v128) (local $n i32)
          (local.set $s (v128.load (i32.const 0)))
          (local.set $n (i32.load (i32.const 64)))
          (loop $l (if (i32.ne (local.get $n) (i32.const 0)) (then
            (local.set $s (f32x4.add (local.get $s) (v128.load (i32.const 16))))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br $l))))
          (v128.store (i32.const 128) (local.get $s))
          (i32.store (i32.const 64) (i32.const 1))))`),
    );
    const stored = (): string => {
      host.runOk('sum');
      const bytes = Buffer.from(host.instance.readBytes(128, 16));
      host.instance.commit();
      return bytes.toString('hex');
    };
    expect(stored()).toBe('0100a07f0000803f0000c0ff00000000');
    expect(stored()).toBe('0000c07f0000803f0000c07f00000000');
  });
});
