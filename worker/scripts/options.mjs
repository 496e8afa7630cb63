/** Flags of asc for the pacing policy as a module of its own. */
export const policyOptions = ['-O3', '--runtime', 'stub', '--noAssert'];

/** Flags of asc for the worker and for modules that tests compile from parts of it. */
export const options = [
  ...policyOptions,
  '--enable',
  'simd',
  '--enable',
  'bulk-memory',
  '--enable',
  'sign-extension',
  '--enable',
  'nontrapping-f2i',
  '--use',
  'abort=assembly/canister/ic/ic0/abort',
  '--exportTable',
];
