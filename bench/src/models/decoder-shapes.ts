import type { DecoderSizes } from './decoder.js';

/** Sizes of decoders that people know, and of one whose weights take 5 GiB in f32. */
export const decoderShapes = {
  /** 300 MB in f32. */
  twin: {
    ...{ hidden: 1024, layers: 5, heads: 8, mlp: 4096, vocabulary: 8000 },
    ...{ keyValueHeads: 8, gated: false, weights: 'float32' },
  },
  '5gib': {
    ...{ hidden: 2048, layers: 24, heads: 16, mlp: 8192, vocabulary: 32_000 },
    ...{ keyValueHeads: 16, gated: false, weights: 'float32' },
  },
  /** As Llama 3.2 with 1 B parameters; its head is not its table. */
  '1b': {
    ...{ hidden: 2048, layers: 16, heads: 32, mlp: 8192, vocabulary: 128_256 },
    ...{ keyValueHeads: 8, gated: true, weights: 'bfloat16' },
  },
  '4b': {
    ...{ hidden: 2560, layers: 32, heads: 32, mlp: 9216, vocabulary: 128_256 },
    ...{ keyValueHeads: 8, gated: true, weights: 'bfloat16' },
  },
  /** As Llama 3.1 with 8 B parameters. */
  '8b': {
    ...{ hidden: 4096, layers: 32, heads: 32, mlp: 14_336, vocabulary: 128_256 },
    ...{ keyValueHeads: 8, gated: true, weights: 'bfloat16' },
  },
} as const satisfies Record<string, DecoderSizes>;

export type DecoderShapeName = keyof typeof decoderShapes;

/** Throws where there is no such shape. */
export function decoderShape(name: string): DecoderSizes {
  if (Object.hasOwn(decoderShapes, name)) return decoderShapes[name as DecoderShapeName];
  throw new Error(`--shape: "${name}" is not one of ${Object.keys(decoderShapes).join(', ')}`);
}
