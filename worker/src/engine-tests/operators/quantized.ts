import { floats } from '../compare.js';
import type { TestTensor } from '../engine.js';

/** Types that float32 is quantized to. */
export const forms = ['int8', 'uint8', 'int16', 'uint16'] as const;

/** One scale for all. */
export const one = (value: number): TestTensor => floats([], [value]);

/** So many scales, no two alike. */
export const scales = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => 0.01 + i / 300);

/** So many zero points. */
export const zeros = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 5);
