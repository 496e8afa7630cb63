import { indexes, patterned, type Bytes } from '../../testing/metered-engine.js';
import { floats, ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

interface Limits {
  most?: number;
  overlap?: number;
  score?: number;
  centred?: boolean;
}

function chosen(
  name: string,
  boxes: TestTensor,
  scores: TestTensor,
  { most, overlap, score, centred = false }: Limits,
): ContractCase<'NonMaxSuppression'> {
  const number = (value: number | undefined) =>
    value === undefined ? undefined : floats([1], [value]);
  const inputs = [boxes, scores, most === undefined ? undefined : ints([most])];
  if (overlap !== undefined || score !== undefined) inputs.push(number(overlap));
  if (score !== undefined) inputs.push(number(score));
  return {
    name,
    attributes: { centred },
    inputs,
    onnx: {
      type: 'NonMaxSuppression',
      attributes: { center_point_box: Number(centred) },
      outputs: ['int64'],
    },
  };
}

const boxes = random([2, 40, 4]);
const scores = random([2, 3, 40], 2);
const equal = floats([1, 1, 6], [0.5, 0.5, 0.9, 0.9, 0.5, 0.9]);
const squares = floats(
  [1, 6, 4],
  [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101],
);

const half: Bytes = {
  dtype: 'float32',
  dims: [1],
  bytes: new Uint8Array(Float32Array.of(0.5).buffer),
};

/** Boxes of one size, next to each other: none suppresses another. */
function apart(count: number): Bytes {
  const values = new Float32Array(count * 4);
  for (let box = 0; box < count; box++) values.set([box, 0, box + 1, 1], box * 4);
  return { dtype: 'float32', dims: [1, count, 4], bytes: new Uint8Array(values.buffer) };
}

operatorContract(
  'NonMaxSuppression',
  [
    chosen('of two images and three classes', boxes, scores, { most: 10, overlap: 0.3 }),
    chosen('above a score', boxes, scores, { most: 40, overlap: 0.6, score: 0.2 }),
    chosen('boxes by their centres', boxes, scores, { most: 40, overlap: 0.5, centred: true }),
    chosen('of equal scores the first', squares, equal, { most: 4, overlap: 0.5, score: 0 }),
    chosen('any overlap', squares, equal, { most: 6 }),
    chosen('whole overlap', squares, equal, { most: 6, overlap: 1 }),
    chosen('none', boxes, scores, { most: 0, overlap: 0.5 }),
    chosen('no limit given, so none', boxes, scores, {}),
    chosen('none above the score', boxes, scores, { most: 3, overlap: 0.5, score: 2 }),
    chosen('of no boxes', random([1, 0, 4]), random([1, 2, 0]), { most: 3, overlap: 0.5 }),
    chosen('boxes without area', floats([1, 2, 4], [0, 0, 0, 0, 0, 0, 0, 0]), random([1, 1, 2]), {
      most: 3,
      overlap: 0.5,
    }),
  ],
  [
    {
      name: 'many boxes apart',
      attributes: { centred: false },
      inputs: [apart(1_500), patterned([1, 1, 1_500]), indexes([1_500]), half],
    },
    {
      name: 'many classes',
      attributes: { centred: false },
      inputs: [apart(100), patterned([1, 2_000, 100]), indexes([1]), half],
    },
  ],
);
