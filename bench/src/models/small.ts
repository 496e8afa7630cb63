import { fileURLToPath } from 'node:url';
import { ownModel } from '../custom.js';
import type { BenchModel } from './catalogue.js';

/** Sizes to plan small models with, where the usual ones would not do. */
const dims: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'resnet-tiny': { height: 64, width: 64 },
};

export const smallModels = [
  'tiny-gemm',
  'digits-cnn',
  'resnet-tiny',
  'bert-tiny',
  'mobilenetv2',
] as const;

/** A model of the end-to-end tests. */
export function smallModel(name: (typeof smallModels)[number]): Promise<BenchModel> {
  const path = new URL(`../../../pocketic-tests/models/${name}/model.onnx`, import.meta.url);
  return ownModel(fileURLToPath(path), dims[name], name);
}
