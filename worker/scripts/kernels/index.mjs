import { floatRowsSource } from './float-rows.mjs';
import { int4 } from './int4.mjs';
import { int8 } from './int8.mjs';
import { kernelsSource } from './integer-rows.mjs';
import { scaleSource } from './scale-sums.mjs';

const head = [
  '// Written from the templates in scripts/kernels. Do not edit.',
  "import { storeTail } from '../lanes';",
  '',
  '',
].join('\n');

/** Files below `assembly` that templates make, by path. */
export function kernelSources() {
  const integers = Object.fromEntries(
    [int8, int4].map((template) => [
      `kernels/generated/${template.kind}-rows.ts`,
      head + kernelsSource(template) + scaleSource(template),
    ]),
  );
  return { ...integers, 'kernels/generated/float-rows.ts': floatRowsSource() };
}
