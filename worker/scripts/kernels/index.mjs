import { int4 } from './int4.mjs';
import { int8 } from './int8.mjs';
import { kernelsSource } from './integer-rows.mjs';

/** Files of `assembly/generated` that templates make, by name. */
export function kernelSources() {
  return { 'int8-rows.ts': kernelsSource(int8), 'int4-rows.ts': kernelsSource(int4) };
}
