import {
  BinaryKind,
  type BinaryName,
  type DTypeName,
  type Epilogue,
  type UnaryName,
} from '@canopy/protocol';
import { broadcastWalk } from './strided.js';
import { Counts, type Work } from './work.js';

/** An activation, and a factor and an offset after it, over so many numbers. */
export function activationWork(kind: UnaryName, elements: number, scaled: boolean): Work[] {
  const counts = {
    turn: Math.floor(elements / 16),
    vector: Math.floor(elements / 4) % 4,
    tail: Number(elements % 4 > 0),
    call: 1,
  };
  const work: Work[] = [{ kernel: `unary.${kind}`, counts }];
  if (scaled) work.push({ kernel: 'scaled', counts: { vector: Math.ceil(elements / 4) } });
  return work;
}

/** The epilogue of a product: clamps in the kernel, anything else in a pass over the results. */
export function epilogueWork(epilogue: Epilogue, elements: number): Work[] {
  const { activation, scale, shift } = epilogue;
  const scaled = scale !== 1 || shift !== 0;
  if (activation === 'none' && !scaled) return [];
  if (!scaled && (activation === 'relu' || activation === 'clip')) {
    return [{ kernel: 'clamp', counts: { vector: Math.ceil(elements / 4) } }];
  }
  return activationWork(activation, elements, scaled);
}

/** The epilogue of Binary: a pass of its own in any case. */
export function binaryEpilogueWork(epilogue: Epilogue, elements: number): Work[] {
  return epilogueWork(epilogue, elements).map((work) =>
    work.kernel === 'clamp' ? { ...work, kernel: 'clampRows' } : work,
  );
}

/** Two operands of a type broadcast to the output's shape; f32 in vectors but for comparisons. */
export function binaryWork(
  kind: BinaryName,
  output: readonly number[],
  operands: readonly (readonly number[])[],
  dtype: DTypeName,
): Work[] {
  const dims = broadcastWalk(output, operands);
  const inner = dims.at(-1)!;
  const rows = dims.slice(0, -1).reduce((product, { size }) => product * size, 1);
  const outer = dims.slice(0, -2).reduce((product, { size }) => product * size, 1);
  const comparison = BinaryKind[kind] >= BinaryKind.equal && BinaryKind[kind] <= BinaryKind.xor;
  if (comparison || dtype !== 'float32' || BinaryKind[kind] > BinaryKind.prelu) {
    const kernel = comparison ? `compare.${dtype}` : 'integer';
    return [{ kernel, counts: { element: rows * inner.size, row: rows, outer } }];
  }
  const prefix = inner.steps.every((step) => step === 1) ? '' : 'spread-';
  const counts = new Counts();
  counts.add(`${prefix}turn`, rows * Math.floor(inner.size / 16));
  counts.add(`${prefix}vector`, rows * (Math.floor(inner.size / 4) % 4));
  counts.add(`${prefix}tail`, rows * Number(inner.size % 4 > 0));
  counts.add(`${prefix}row`, rows).add('outer', outer);
  return [{ kernel: `binary.${kind}`, counts: counts.counts }];
}
