/** Assembles WebAssembly text. The assembler is a development dependency and loaded when needed. */
export async function assemble(text: string): Promise<Uint8Array> {
  const { default: load } = await import('wabt');
  const wabt = await load();
  const features = {
    simd: true,
    bulk_memory: true,
    reference_types: true,
    sat_float_to_int: true,
    sign_extension: true,
    multi_value: true,
    mutable_globals: true,
    tail_call: true,
    memory64: true,
    threads: true,
    relaxed_simd: true,
  };
  const module = wabt.parseWat('module.wat', text, features);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
