import { linearKernels } from '@canopy/protocol';
import { range } from './integer-rows.mjs';

/**
 * Template of the products of a few rows with whole panels of 16 channels: the inputs of all rows stay in
 * locals, each in all lanes, the weights stream by, a vector of four channels at a time. Every sum adds
 * its products one by one from the first of the depth on, whatever the number of rows.
 */
const name = (rows, depth) => `floatRows${rows}Depth${depth}`;

/** The first row loads what the others find in a local. */
function weight(rows, r, k) {
  const load = `v128.load(w, ${64 * k})`;
  if (rows === 1) return load;
  return r === 0 ? `(w${k} = ${load})` : `w${k}`;
}

function kernel(rows, depth) {
  const depths = range(depth);
  const row = (r) => [
    `      let s${r} = v128.load(sums, ${16 * r});`,
    ...depths.map(
      (k) => `      s${r} = f32x4.add(s${r}, f32x4.mul(x${r}_${k}, ${weight(rows, r, k)}));`,
    ),
    `      v128.store(sums, s${r}, ${16 * r});`,
  ];
  return [
    `function ${name(rows, depth)}(x0: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize): void {`,
    ...range(rows - 1).map((r) => `  const x${r + 1} = x${r} + xStep;`),
    ...range(rows).flatMap((r) =>
      depths.map((k) => `  const x${r}_${k} = v128.load32_splat(x${r}, ${4 * k});`),
    ),
    ...(rows === 1 ? [] : depths.map((k) => `  let w${k}: v128;`)),
    '  do {',
    '    let vectors = 4;',
    '    do {',
    ...range(rows).flatMap(row),
    '      w += 16;',
    `      sums += ${16 * rows};`,
    '    } while (--vectors);',
    '    w += wStep;',
    '  } while (sums != end);',
    '}',
    '',
  ];
}

function pieces(rows, depths) {
  const some = (depth) => [
    `  while (depth >= ${depth}) {`,
    `    ${name(rows, depth)}(x, xStep, w, wStep - 64, sums, end);`,
    `    depth -= ${depth};`,
    `    x += ${4 * depth};`,
    `    w += ${64 * depth};`,
    '  }',
  ];
  return [
    `function floatRows${rows}(depth: u32, x: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize): void {`,
    ...depths.flatMap(some),
    '}',
    '',
  ];
}

/** What begins the sums of whole panels with the bias, and what stores them as rows. */
function edges(rows) {
  const each = (line) => range(4).map((i) => `    ${line(i)}`);
  const sum = (i) => `v128.load(sums, ${16 * rows * i})`;
  const store = (value) => (i) => `v128.store(out, ${value(i)}, ${16 * i});`;
  const copy = (value) => [
    '    do {',
    ...each(store(value)).map((line) => `  ${line}`),
    `      sums += ${64 * rows};`,
    '      out += 64;',
    '    } while (--panels);',
  ];
  return [
    `function beginRows${rows}(bias: usize, sums: usize, end: usize): void {`,
    '  do {',
    '    const b = v128.load(bias);',
    ...range(rows).map((r) => `    v128.store(sums, b, ${16 * r});`),
    '    bias += 16;',
    `    sums += ${16 * rows};`,
    '  } while (sums != end);',
    '}',
    '',
    `function storeRow${rows}(clamp: bool, sums: usize, out: usize, panels: u32): void {`,
    '  if (clamp) {',
    '    const low = clampLow();',
    '    const high = clampHigh();',
    ...copy((i) => `f32x4.pmin(f32x4.pmax(${sum(i)}, low), high)`),
    '  } else {',
    ...copy(sum),
    '  }',
    '}',
    '',
  ];
}

/** AssemblyScript source of the kernels for float weights. */
export function floatRowsSource() {
  const kernels = Object.entries(linearKernels).map(([rows, depths]) => [Number(rows), depths]);
  const counts = kernels.map(([rows]) => rows).toReversed();
  const choose = (call) =>
    counts.map((rows, i) => {
      const test = rows === 1 ? '' : `if (rows == ${rows}) `;
      return `  ${i === 0 ? '' : 'else '}${test}${call(rows)}`;
    });
  return [
    '// Written from the templates in scripts/kernels. Do not edit.',
    "import { clampHigh, clampLow } from '../clamp';",
    '',
    ...kernels.flatMap(([rows, depths]) => [
      ...depths.flatMap((depth) => kernel(rows, depth)),
      ...pieces(rows, depths),
      ...edges(rows),
    ]),
    '/** sums[vector][row][4] = bias[vector][4], up to `end` of the sums. */',
    'export function beginRows(rows: u32, bias: usize, sums: usize, end: usize): void {',
    ...choose((rows) => `beginRows${rows}(bias, sums, end);`),
    '}',
    '',
    '/**',
    ' * sums[vector][row][4] += x[row][0..depth) * w[panel][0..depth)[16] for whole panels up to `end` of the',
    ' * sums. `rows` is 1, 4, 8 or 16; steps are bytes, `wStep` from panel to panel. Any depth.',
    ' */',
    'export function floatRows(',
    '  rows: u32, depth: u32, x: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize,',
    '): void {',
    ...choose((rows) => `floatRows${rows}(depth, x, xStep, w, wStep, sums, end);`),
    '}',
    '',
    '/** Stores the sums of one of `rows` rows, clamped where `clamp`. */',
    'export function storeRow(rows: u32, clamp: bool, sums: usize, out: usize, panels: u32): void {',
    ...choose((rows) => `storeRow${rows}(clamp, sums, out, panels);`),
    '}',
    '',
    '/** Rows of the largest kernel for `rows` >= 1 rows. */',
    'export function floatRowsOf(rows: u32): u32 {',
    ...counts.map((rows) =>
      rows === 1 ? '  return 1;' : `  if (rows >= ${rows}) return ${rows};`,
    ),
    '}',
    '',
  ].join('\n');
}
