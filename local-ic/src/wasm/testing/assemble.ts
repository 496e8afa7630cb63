import wabtInit from 'wabt';

const wabt = await wabtInit();
const features = {
  simd: true,
  bulk_memory: true,
  tail_call: true,
  memory64: true,
  reference_types: true,
  multi_value: true,
};

/** The binary form of a module in text form. */
export function assemble(text: string): Uint8Array {
  const module = wabt.parseWat('test.wat', text, features);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
