import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WasmError } from '../errors.js';
import { compileModule } from '../module.js';
import { assemble } from '../testing/assemble.js';

function refusal(bytes: Uint8Array): WasmError {
  try {
    compileModule(bytes, '2026-07');
  } catch (error) {
    if (error instanceof WasmError) return error;
    throw error;
  }
  throw new Error('the module was accepted');
}
const refusalOf = (text: string): WasmError => refusal(assemble(text));

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const withSection = (id: number, content: readonly number[]): Uint8Array =>
  Uint8Array.from([...header, id, content.length, ...content]);
const custom = (name: string, size = 1): Uint8Array => {
  const content = [name.length, ...Buffer.from(name), ...new Uint8Array(size)];
  return Uint8Array.from([0, content.length, ...content]);
};
const repeat = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');

describe('accepted modules', () => {
  it.each([
    ['no memory', '(module (func (export "canister_query q")))'],
    ['spaces in a method name', '(module (func (export "canister_query a b (c)")))'],
    ['an empty method name', '(module (func (export "canister_update ")))'],
    ['an export of another name', '(module (func (export "other") (param i32)))'],
    ['tail calls', '(module (func $f (return_call $f)))'],
    ['a large table', '(module (table 1000000 funcref))'],
    ['1000 globals', `(module ${repeat(1000, () => '(global i32 (i32.const 0))')})`],
    ['a 64-bit memory', '(module (memory i64 1))'],
    [
      'multi-value blocks',
      '(module (func (result i32 i32) (block (result i32 i32) (i32.const 1) (i32.const 2))))',
    ],
  ])('%s', (_, text) => {
    expect(() => compileModule(assemble(text), '2026-07')).not.toThrow();
  });

  it('gzipped or not, with the hash of the upload', () => {
    const bytes = assemble('(module (func (export "canister_update f")))');
    const zipped = gzipSync(bytes);
    const plain = compileModule(bytes, '2026-07');
    const module = compileModule(zipped, '2026-07');
    expect([...module.updates]).toEqual(['f']);
    expect(module.hash).not.toEqual(plain.hash);
    expect(module.codeInstructions).toBe(plain.codeInstructions);
  });

  it('methods, hooks and custom sections are found', () => {
    const bytes = assemble(`(module (func $f) (memory 3) (start $f)
      (export "canister_update u" (func $f)) (export "canister_query q" (func $f))
      (export "canister_composite_query c" (func $f)) (export "canister_init" (func $f))
      (export "canister_on_low_wasm_memory" (func $f)))`);
    const module = compileModule(
      Buffer.concat([bytes, custom('icp:public a'), custom('icp:private b', 3), custom('name', 0)]),
      '2026-07',
    );
    expect([...module.updates, ...module.queries, ...module.compositeQueries]).toEqual([
      'u',
      'q',
      'c',
    ]);
    expect([...module.hooks]).toEqual(['canister_init', 'canister_on_low_wasm_memory']);
    expect(module).toMatchObject({ hasStart: true, hasMemory: true, initialPages: 3 });
    expect(module.customSections).toEqual([
      { name: 'a', visibility: 'public', content: new Uint8Array(1) },
      { name: 'b', visibility: 'private', content: new Uint8Array(3) },
    ]);
  });

  it('the size of compiled code is what a replica charges for', () => {
    const units = (text: string): number =>
      compileModule(assemble(text), '2026-07').codeInstructions;
    expect(units('(module)')).toBe(72);
    expect(units('(module (func))')).toBe(83);
    expect(units(`(module ${repeat(10, () => '(func)')})`)).toBe(182);
    expect(units(`(module (func ${repeat(100, () => 'nop')}))`)).toBe(183);
    expect(units(`(module ${repeat(100, () => '(global i32 (i32.const 0))')})`)).toBe(272);
  });
});

describe('refused modules, in the words of the replica', () => {
  it.each([
    [
      '(import "ic0" "nope" (func))',
      "Wasm module has an invalid import section. Module imports function 'nope' from 'ic0' that is not exported by the runtime.",
    ],
    [
      '(import "env" "time" (func (result i64)))',
      'Wasm module has an invalid import section. Module imports function "time" from "env", expected to be imported from one of ["ic0"] instead.',
    ],
    [
      '(import "ic0" "msg_reply" (func (param i32)))',
      "Wasm module has an invalid function signature. Expected input params [] for 'msg_reply', got [I32].",
    ],
    [
      '(import "ic0" "time" (func (result i32)))',
      "Wasm module has an invalid function signature. Expected return type [I64] for 'time', got [I32].",
    ],
    [
      '(import "ic0" "msg_reply_data_append" (func (param i64 i64)))',
      "Wasm module has an invalid function signature. Expected input params [I32, I32] for 'msg_reply_data_append', got [I64, I64].",
    ],
    [
      '(import "ic0" "stable_size" (func (result i32))) (memory i64 1)',
      "Wasm module has an invalid import section. Module imports function 'stable_size' from 'ic0' that is not exported by the runtime.",
    ],
    [
      '(import "ic0" "memory" (memory 1))',
      'Wasm module has an invalid import section. Only memory imported from env.memory is allowed.',
    ],
    [
      '(import "ic0" "g" (global i32))',
      'Wasm module has an invalid import section. Importing globals is not allowed.',
    ],
    [
      '(func (export "canister_init") (param i32))',
      "Wasm module has an invalid function signature. Expected input params [] for 'canister_init', got [I32].",
    ],
    [
      '(func (export "canister_query f") (result i32) (i32.const 0))',
      "Wasm module has an invalid function signature. Expected return type [] for 'canister_query f', got [I32].",
    ],
    [
      '(func (export "canister_foo"))',
      'Wasm module has an invalid export section. Exporting reserved function \'canister_foo\' with "canister_" prefix',
    ],
    [
      '(func (export "canister_start"))',
      'Wasm module has an invalid export section. Exporting reserved symbol canister_start not allowed.',
    ],
    [
      '(func $f) (export "canister_update f" (func $f)) (export "canister_query f" (func $f))',
      "Duplicate function 'f' exported multiple times with different call types: update, query, or composite_query.",
    ],
    [
      repeat(1001, () => '(global i32 (i32.const 0))'),
      'Wasm module defined 1001 globals which exceeds the maximum number allowed 1000.',
    ],
    [
      '(global (mut funcref) (ref.null func))',
      'Wasm module has an invalid global section. Unsupported global type: Ref(funcref)',
    ],
    [
      '(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))',
      'Wasm module contains a function at index 0 with unsupported instruction table.grow.',
    ],
    [
      '(memory i64 98305)',
      'Wasm module declares an initial Wasm64 heap memory size of 98305 pages which exceeds the maximum allowed size of 98304 pages.',
    ],
    [
      `(func (local i32) ${repeat(20_000, () => '(if (local.get 0) (then))')})`,
      'Wasm module contains a function at index 0 with complexity 1040001 which exceeds the maximum complexity allowed 1000000.',
    ],
  ])('%s', (body, message) => {
    expect(refusalOf(`(module ${body})`)).toMatchObject({ code: 'invalid', message });
  });

  it('too many functions, too many exports, names too long', () => {
    expect(refusalOf(`(module ${repeat(50_001, () => '(func)')})`).message).toBe(
      'Wasm module defined 50001 functions which exceeds the maximum number allowed 50000.',
    );
    const exports = (count: number, name: (i: number) => string): WasmError =>
      refusalOf(
        `(module (func $f) ${repeat(count, (i) => `(export "canister_query ${name(i)}" (func $f))`)})`,
      );
    expect(exports(1001, String).message).toMatch(/is 1001 which exceeds 1000\.$/);
    const long = exports(3, (i) => `${i}`.repeat(7001));
    expect(long.message).toMatch(/is 21003 which exceeds the allowed limit of 20000\.$/);
    expect(long.hint).toMatch(/^Try using shorter method names\. See documentation: https/);
  });

  it('custom sections', () => {
    const sections = (...list: Uint8Array[]): string =>
      refusal(Buffer.concat([Uint8Array.from(header), ...list])).message;
    const text = 'Wasm module has an invalid custom section. ';
    expect(sections(custom('icp:foo'))).toBe(
      `${text}Invalid custom section: Custom section 'icp:foo' has no public/private scope defined.`,
    );
    expect(sections(custom('icp:public'))).toBe(
      `${text}'icp:' section names must have a space after the public/private scope`,
    );
    expect(sections(custom('icp:public a'), custom('icp:private a'))).toBe(
      `${text}Invalid custom section: name a already exists`,
    );
    const many = Array.from({ length: 17 }, (_, i) => custom(`icp:public ${i}`));
    expect(sections(...many)).toBe(
      'Wasm module defined 17 custom sections which exceeds the maximum number allowed 16.',
    );
  });

  it.each([
    ['a type error', '(func (i32.const 1))'],
    ['extended constants', '(global i32 (i32.add (i32.const 1) (i32.const 2)))'],
    ['two memories', '(memory 1) (memory 1)'],
  ])("what WebAssembly or the replica's features forbid: %s", (_, body) => {
    let bytes: Uint8Array;
    if (body.includes('i32.add')) {
      bytes = withSection(6, [1, 0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x0b]);
    } else if (body.startsWith('(memory')) {
      bytes = withSection(5, [2, 0, 1, 0, 1]);
    } else {
      bytes = Uint8Array.from([
        ...header,
        1,
        4,
        1,
        0x60,
        0,
        0,
        3,
        2,
        1,
        0,
        10,
        6,
        1,
        4,
        0,
        0x41,
        1,
        0x0b,
      ]);
    }
    expect(refusal(bytes)).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        /^Wasmtime failed to validate wasm module wasmtime::Module::validate\(\) failed with /,
      ) as string,
    });
  });

  it('features that the engine here has and the IC has not', () => {
    const body = (...code: number[]): Uint8Array =>
      Uint8Array.from([
        ...header,
        1,
        4,
        1,
        0x60,
        0,
        0,
        3,
        2,
        1,
        0,
        10,
        code.length + 4,
        1,
        code.length + 2,
        0,
        ...code,
        0x0b,
      ]);
    const atomicFence = body(0xfe, 0x03, 0x00);
    const sharedMemory = withSection(5, [1, 3, 1, 2]);
    const tag = Uint8Array.from([...header, 1, 4, 1, 0x60, 0, 0, 13, 3, 1, 0, 0]);
    for (const bytes of [atomicFence, sharedMemory, tag]) {
      expect(refusal(bytes).message).toMatch(/^Wasmtime failed to validate wasm module/);
    }
  });

  it('what is no module at all', () => {
    const message = (...bytes: number[]): string => refusal(Uint8Array.from(bytes)).message;
    const text = 'Failed to decode wasm module: ';
    expect(message()).toBe(`${text}unsupported canister module format`);
    expect(message(1, 2, 3, 4)).toBe(`${text}unsupported canister module format`);
    expect(message(...header.slice(0, 4), 2, 0, 0, 0)).toBe(
      `${text}Error finding code section: unknown binary version:        0x2 (at offset 0x4)`,
    );
    expect(message(...header, 1, 100, 0)).toBe(
      `${text}Error finding code section: unexpected end-of-file (at offset 0xa)`,
    );
    expect(refusal(gzipSync('hello')).message).toMatch(/bad magic number - expected=\[\n {4}0x0,/);
    expect(refusal(Uint8Array.of(0x1f, 0x8b, 8, 0)).message).toMatch(
      /^Failed to decode wasm module: failed to decode compressed Wasm module: /,
    );
  });

  it('data and entry points that do not fit', () => {
    expect(refusalOf('(module (memory 1) (data (i32.const 65535) "ab"))')).toMatchObject({
      code: 'instrumentation',
      message: 'Wasm module has invalid data segment of 2 bytes at 65535',
    });
    expect(refusalOf('(module (memory 1) (data (i32.const -1) "a"))').message).toBe(
      'Wasm module has invalid data segment of 1 bytes at 18446744073709551615',
    );
    expect(
      refusalOf('(module (global $g i32 (i32.const 0)) (export "canister_init" (global $g)))'),
    ).toMatchObject({ code: 'contract', message: 'export is not a function' });
    expect(refusalOf('(module (import "env" "memory" (memory 1)))')).toMatchObject({
      code: 'engine',
      message: 'Failed to instantiate module: unknown import: `env::memory` has not been defined',
    });
    expect(refusalOf('(module (table 20000000 funcref))').message).toBe(
      'Failed to instantiate module: table minimum size of 20000000 elements exceeds table limits',
    );
  });
});
