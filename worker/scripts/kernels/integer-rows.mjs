/**
 * Template of the products of a few rows of 16-bit activations with packed integer weights.
 *
 * The activations of all rows stay in locals, each pair of neighbours along the depth in all lanes; the
 * weights stream by, four output channels at a time, and each pair of them is unpacked once for all
 * rows. One `i32x4.dot_i16x8_s` adds two products to each of four sums, which stay on the stack over
 * the whole depth.
 */

export const range = (count) => Array.from({ length: count }, (_, i) => i);

const kernelName = (kind, rows, depth, first) =>
  `${kind}Rows${rows}Depth${depth}${first ? 'First' : ''}`;

/** A kernel around what `template` says: `prologue` before the loop, `turn` for a vector of channels. */
function kernel(template, rows, depth, first) {
  const pairs = range(depth / 2);
  const { prologue, turn } = template.body({ rows, depth, first });
  return [
    `function ${kernelName(template.kind, rows, depth, first)}(`,
    '  x0: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize,',
    '): void {',
    ...range(rows - 1).map((r) => `  const x${r + 1} = x${r} + xStep;`),
    ...range(rows).flatMap((r) =>
      pairs.map((pair) => `  const a${r}_${pair} = v128.load32_splat(x${r}, ${4 * pair});`),
    ),
    ...prologue.map((line) => `  ${line}`),
    '  do {',
    ...turn.map((line) => `    ${line}`),
    '    w += wStep;',
    `    sums += ${16 * rows};`,
    '  } while (sums != end);',
    '}',
    '',
  ];
}

/** The function that takes rows through a piece of the weights, cut into the depths there are kernels for. */
function pieces({ kind, weightBytes }, rows, depths) {
  const some = (depth) =>
    [
      `if (first) ${kernelName(kind, rows, depth, true)}(x, xStep, w, wStep, sums, end);`,
      `else ${kernelName(kind, rows, depth, false)}(x, xStep, w, wStep, sums, end);`,
      'first = false;',
      `depth -= ${depth};`,
      `x += ${2 * depth};`,
      `w += ${weightBytes(depth)};`,
    ].map((line) => `    ${line}`);
  return [
    `function ${kind}Rows${rows}(`,
    '  first: bool, depth: u32, x: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize,',
    '): void {',
    ...depths.flatMap((depth) => [`  while (depth >= ${depth}) {`, ...some(depth), '  }']),
    '}',
    '',
  ];
}

/** The functions that choose among numbers of rows. */
function choices({ kind, shapes, doc }) {
  const [most, ...fewer] = Object.keys(shapes).map(Number).toReversed();
  const call = (rows) => `${kind}Rows${rows}(first, depth, x, xStep, w, wStep, sums, end);`;
  return [
    '/**',
    ...doc.map((line) => ` * ${line}`),
    ' */',
    `export function ${kind}Rows(`,
    '  rows: u32, first: bool, depth: u32, x: usize, xStep: usize, w: usize, wStep: usize, sums: usize, end: usize,',
    '): void {',
    `  if (rows == ${most}) ${call(most)}`,
    ...fewer.slice(0, -1).map((rows) => `  else if (rows == ${rows}) ${call(rows)}`),
    `  else ${call(1)}`,
    '}',
    '',
    '/** Rows of the largest kernel for `rows` >= 1 rows. */',
    `export function ${kind}RowsOf(rows: u32): u32 {`,
    ...[most, ...fewer].map((rows) =>
      rows === 1 ? '  return 1;' : `  if (rows >= ${rows}) return ${rows};`,
    ),
    '}',
    '',
  ];
}

/**
 * AssemblyScript source of all kernels of a template: `kind`, `shapes` (depths for each number of
 * rows), `weightBytes` of four channels for a depth, `doc`, and `body` as {@link kernel} takes it.
 */
export function kernelsSource(template) {
  return [
    ...Object.entries(template.shapes).flatMap(([rows, depths]) => [
      ...depths.flatMap((depth) =>
        [true, false].flatMap((first) => kernel(template, Number(rows), depth, first)),
      ),
      ...pieces(template, Number(rows), depths),
    ]),
    ...choices(template),
  ].join('\n');
}
