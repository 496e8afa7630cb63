import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { reference } from './compare.js';
import { createIc, deployModel } from './deployment.js';
import { testModels } from './models.js';

const digits = testModels.find((model) => model.name === 'digits-cnn')!;

/** Share of rows whose largest value is at the label's place. */
function accuracy(logits: ArrayLike<number>, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  const right = labels.filter((label, row) => {
    const scores = Array.from({ length: classes }, (_, index) => logits[row * classes + index]!);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / labels.length;
}

it('digits are recognised as well as by onnxruntime', async () => {
  const { images, labels } = JSON.parse(
    readFileSync(join(dirname(digits.path), 'held-out.json'), 'utf8'),
  ) as { images: number[][]; labels: number[] };
  const feeds = {
    image: new Tensor('float32', Float32Array.from(images.flat(Infinity) as number[]), [
      labels.length,
      1,
      8,
      8,
    ]),
  };
  const pic = await createIc();
  try {
    const { session } = await deployModel(pic, digits, { workers: 3 });
    const { logits } = await session.run(feeds);
    const expected = await reference(digits.path, feeds);
    const given = accuracy(logits!.data as Float32Array, labels);
    expect(given).toBe(accuracy(expected['logits']!.data as Float32Array, labels));
    expect(given).toBeGreaterThan(0.9);
  } finally {
    await pic.tearDown();
  }
});
