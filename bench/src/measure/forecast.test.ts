import type { ExpectedLoad } from '@canopy/partitioner';
import { describe, expect, it } from 'vitest';
import type { BenchModel } from '../models/catalogue.js';
import { matMulModel } from '../models/matmul.js';
import { smallModel } from '../models/small.js';
import { measureForecast } from './forecast.js';

const matMul = (size: number) => (): Promise<BenchModel> => Promise.resolve(matMulModel(size));

/** So many requests of so many rows in flight, twice as many in all. */
function load(rowsPerRequest: number, concurrency: number): ExpectedLoad {
  return { rowsPerRequest, concurrency, requests: 2 * concurrency };
}

function off(predicted: number, counted: number): number {
  return Math.abs(predicted / counted - 1);
}

describe('a forecast is what the benchmark counts', () => {
  it.each<[string, () => Promise<BenchModel>, number, ExpectedLoad?]>([
    ['a Gemm of 5 x 7', () => smallModel('tiny-gemm'), 1, load(1, 48)],
    ['a Gemm of 5 x 7, as its plan says', () => smallModel('tiny-gemm'), 1],
    ['a product of 16, as its plan says', matMul(16), 1],
    ['a product of 4, a micro-batch', matMul(4), 1, load(64, 16)],
    ['a product of 8, one row', matMul(8), 1, load(1, 32)],
    ['a product of 32, several rows', matMul(32), 1, load(8, 32)],
    ['a product of 128, one row', matMul(128), 1, load(1, 16)],
    ['a product of 512, a micro-batch', matMul(512), 1, load(64, 16)],
    ['a product of 2048, one row', matMul(2048), 1, load(1, 16)],
    ['digits-cnn', () => smallModel('digits-cnn'), 2, load(64, 16)],
    ['bert-tiny', () => smallModel('bert-tiny'), 2, load(1, 16)],
    ['resnet-tiny', () => smallModel('resnet-tiny'), 2, load(2, 8)],
    ['mobilenetv2', () => smallModel('mobilenetv2'), 3, load(1, 16)],
  ])('%s', async (_, model, workers, given) => {
    const { predicted, counted } = await measureForecast(await model(), { workers }, given);
    expect(off(predicted.inferencesPerRound, counted.inferencesPerRound)).toBeLessThan(0.1);
    expect(predicted.roundsForOne).toBe(counted.roundsForOne);
    predicted.stages.forEach((instructions, stage) => {
      expect(off(instructions, counted.stages[stage]!)).toBeLessThan(0.05);
    });
  });
});
