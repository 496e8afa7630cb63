import { range } from './integer-rows.mjs';

/** Vectors of four channels in a turn. */
const vectors = 8;

/** What a vector of sums becomes: integers times the row's unit and each channel's scale, or floats times the unit. */
const scaled = {
  int8: (i, step) =>
    `f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums, ${i * step})), unit), v128.load(scales, ${16 * i}))`,
  int4: (i, step) => `f32x4.mul(v128.load(sums, ${i * step}), unit)`,
};

function scaleRow(kind, rows) {
  const step = 16 * rows;
  const result = (i) => `f32x4.add(${scaled[kind](i, step)}, v128.load(bias, ${16 * i}))`;
  const some = (count) => [
    ...range(count).map((i) => `    v128.store(out, ${result(i)}, ${16 * i});`),
    `    sums += ${count * step};`,
    ...(kind === 'int8' ? [`    scales += ${16 * count};`] : []),
    `    bias += ${16 * count};`,
    `    out += ${16 * count};`,
  ];
  return [
    `function ${kind}Scale${rows}(sums: usize, row: f32, scales: usize, bias: usize, out: usize, n: u32): void {`,
    '  const unit = f32x4.splat(row);',
    `  for (; n >= ${4 * vectors}; n -= ${4 * vectors}) {`,
    ...some(vectors),
    '  }',
    '  for (; n >= 4; n -= 4) {',
    ...some(1),
    '  }',
    `  if (n != 0) storeTail(out, ${result(0)}, n);`,
    '}',
    '',
  ];
}

/** AssemblyScript source of what makes results of the sums of `template`'s kernels. */
export function scaleSource({ kind, shapes }) {
  const counts = Object.keys(shapes).map(Number).toReversed();
  const call = (rows) => `${kind}Scale${rows}(sums, row, scales, bias, out, n);`;
  return [
    ...counts.flatMap((rows) => scaleRow(kind, rows)),
    '/**',
    ` * out[j] = sums[j] * row ${kind === 'int8' ? '* scales[j] ' : ''}+ bias[j] for \`n\` >= 1 channels of one of \`rows\` rows, whose sums lie four by`,
    ' * four beside those of the others. Reads scales and bias up to a whole vector.',
    ' */',
    `export function ${kind}Scale(`,
    '  rows: u32, sums: usize, row: f32, scales: usize, bias: usize, out: usize, n: u32,',
    '): void {',
    ...counts.map((rows, i) =>
      i === 0
        ? `  if (rows == ${rows}) ${call(rows)}`
        : `  else ${rows === 1 ? '' : `if (rows == ${rows}) `}${call(rows)}`,
    ),
    '}',
    '',
  ].join('\n');
}
