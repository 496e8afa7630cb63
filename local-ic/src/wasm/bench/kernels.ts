/**
 * Kernels as a canister has them, in text form: each exports `kernel` (no parameters), which goes
 * `PASSES` times over 64 KiB of operands at 0x40000 and 0x50000 and writes to 0x60000.
 */
export interface Kernel {
  name: string;
  /** SIMD multiply-adds, or loop turns, of one pass. */
  work: number;
  text: string;
}

/** How often a call goes over its operands, so that a call is as long as a small message. */
export const PASSES = 200;

const module = (locals: string, body: string): string =>
  `(module (memory (export "memory") 16)
    (func $pass (param $a i32) (param $b i32) (param $c i32)
      (local $n i32) (local $i i32) ${locals} ${body})
    (func (export "kernel") (local $passes i32)
      (local.set $passes (i32.const ${PASSES}))
      (loop $again
        (call $pass (i32.const 0x40000) (i32.const 0x50000) (i32.const 0x60000))
        (br_if $again (local.tee $passes (i32.sub (local.get $passes) (i32.const 1)))))))`;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** One product a turn: as short as a SIMD loop can be. */
const dotF32: Kernel = {
  name: 'f32 dot product, 1 vector a turn',
  work: 4096,
  text: module(
    '(local $s v128)',
    `(local.set $n (i32.const 4096))
     (loop $l
       (local.set $s (f32x4.add (local.get $s)
         (f32x4.mul (v128.load (local.get $a)) (v128.load (local.get $b)))))
       (local.set $a (i32.add (local.get $a) (i32.const 16)))
       (local.set $b (i32.add (local.get $b) (i32.const 16)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     (v128.store (local.get $c) (local.get $s))`,
  ),
};

/** As AssemblyScript compiles `for (i = 0; i < n; i += 16) sum += load(a + i) * load(b + i)`. */
const dotF32Compiled: Kernel = {
  name: 'f32 dot product, as compiled from a for loop',
  work: 4096,
  text: module(
    '(local $s v128)',
    `(local.set $n (i32.const 65536))
     (loop $l
       (if (i32.lt_s (local.get $i) (local.get $n)) (then
         (local.set $s (f32x4.add (local.get $s)
           (f32x4.mul (v128.load (i32.add (local.get $a) (local.get $i)))
                      (v128.load (i32.add (local.get $b) (local.get $i))))))
         (local.set $i (i32.add (local.get $i) (i32.const 16)))
         (br $l))))
     (v128.store (local.get $c) (local.get $s))`,
  ),
};

/** Panels of int16 weights: 4 accumulators, 16 products a turn, offsets instead of additions. */
const dotI16: Kernel = {
  name: 'int16 panel, 4 accumulators, 16 products a turn',
  work: 4096,
  text: module(
    '(local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128) (local $x v128)',
    `(local.set $n (i32.const 256))
     (loop $l
       ${range(4)
         .map(
           (k) =>
             `(local.set $x (v128.load offset=${16 * k} (local.get $b)))
              ${range(4)
                .map(
                  (j) =>
                    `(local.set $s${j} (i32x4.add (local.get $s${j}) (i32x4.dot_i16x8_s
                      (local.get $x) (v128.load offset=${64 * k + 16 * j} (local.get $a)))))`,
                )
                .join('\n')}`,
         )
         .join('\n')}
       (local.set $a (i32.add (local.get $a) (i32.const 256)))
       (local.set $b (i32.add (local.get $b) (i32.const 64)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     ${range(4)
       .map((j) => `(v128.store offset=${16 * j} (local.get $c) (local.get $s${j}))`)
       .join('\n')}`,
  ),
};

/** A 4 x 4-vector block of a float matrix product. */
const matmulF32: Kernel = {
  name: 'f32 matrix block, 16 accumulators',
  work: 4096,
  text: module(
    range(16)
      .map((i) => `(local $s${i} v128)`)
      .join(' ') +
      '(local $w0 v128) (local $w1 v128) (local $w2 v128) (local $w3 v128) (local $x v128)',
    `(local.set $n (i32.const 256))
     (loop $l
       ${range(4)
         .map((j) => `(local.set $w${j} (v128.load offset=${16 * j} (local.get $a)))`)
         .join('\n')}
       ${range(4)
         .map(
           (r) =>
             `(local.set $x (v128.load32_splat offset=${4 * r} (local.get $b)))
              ${range(4)
                .map(
                  (j) =>
                    `(local.set $s${4 * r + j} (f32x4.add (local.get $s${4 * r + j})
                      (f32x4.mul (local.get $x) (local.get $w${j}))))`,
                )
                .join('\n')}`,
         )
         .join('\n')}
       (local.set $a (i32.add (local.get $a) (i32.const 64)))
       (local.set $b (i32.add (local.get $b) (i32.const 16)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     ${range(16)
       .map((j) => `(v128.store offset=${16 * j} (local.get $c) (local.get $s${j}))`)
       .join('\n')}`,
  ),
};

/** Down the columns of a matrix whose row length is not known before: four columns at a time. */
const columns: Kernel = {
  name: 'f32 columns, step in a variable',
  work: 4096,
  text: module(
    '(local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)',
    `(i32.store (i32.const 0x6fff0) (i32.const 64))
     (local.set $i (i32.load (i32.const 0x6fff0)))
     (local.set $n (i32.const 1024))
     (loop $l
       ${range(4)
         .map(
           (j) => `(local.set $s${j} (f32x4.add (local.get $s${j})
             (f32x4.mul (v128.load offset=${16 * j} (local.get $a))
                        (v128.load32_splat (local.get $b)))))`,
         )
         .join('\n')}
       (local.set $a (i32.add (local.get $a) (local.get $i)))
       (local.set $b (i32.add (local.get $b) (i32.const 4)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     ${range(4)
       .map((j) => `(v128.store offset=${16 * j} (local.get $c) (local.get $s${j}))`)
       .join('\n')}`,
  ),
};

/** Element by element, with a store of a float result each turn. */
const relu: Kernel = {
  name: 'f32 add and relu, element by element',
  work: 4096,
  text: module(
    '',
    `(local.set $n (i32.const 4096))
     (loop $l
       (v128.store (local.get $c)
         (f32x4.pmax (f32x4.add (v128.load (local.get $a)) (v128.load (local.get $b)))
                     (v128.const i32x4 0 0 0 0)))
       (local.set $a (i32.add (local.get $a) (i32.const 16)))
       (local.set $b (i32.add (local.get $b) (i32.const 16)))
       (local.set $c (i32.add (local.get $c) (i32.const 16)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`,
  ),
};

/** Bytes one by one: a hash, the worst case for checks of pages. */
const hash: Kernel = {
  name: 'scalar hash of bytes',
  work: 65536,
  text: module(
    '(local $h i32)',
    `(local.set $n (i32.const 65536))
     (loop $l
       (local.set $h (i32.mul (i32.xor (local.get $h) (i32.load8_u (local.get $a)))
         (i32.const 16777619)))
       (local.set $a (i32.add (local.get $a) (i32.const 1)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     (i32.store (local.get $c) (local.get $h))`,
  ),
};

/** A chain of pointers through 64 KiB: each address is loaded. */
const chase: Kernel = {
  name: 'pointer chase',
  work: 65536,
  text: module(
    '',
    `(local.set $n (i32.const 4096))
     (loop $fill
       (i32.store (local.get $a) (i32.add (i32.const 0x40000)
         (i32.and (i32.mul (local.get $n) (i32.const 40503)) (i32.const 0xfff0))))
       (local.set $a (i32.add (local.get $a) (i32.const 16)))
       (br_if $fill (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     (local.set $a (i32.const 0x40000))
     (local.set $n (i32.const 65536))
     (loop $l
       (local.set $a (i32.load (local.get $a)))
       (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
     (i32.store (local.get $c) (local.get $a))`,
  ),
};

export const kernels: readonly Kernel[] = [
  dotF32,
  dotF32Compiled,
  dotI16,
  matmulF32,
  columns,
  relu,
  hash,
  chase,
];
