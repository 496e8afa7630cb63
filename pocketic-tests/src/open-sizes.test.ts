import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PocketIc } from '@dfinity/pic';
import { Tensor } from 'onnxruntime-node';
import { floatConstant, makeNode, writeOnnx, type Graph } from '@canopy/partitioner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel, type DeployedModel } from './deployment.js';
import type { Feeds } from './models.js';

const width = 64;
const values = (count: number, seed = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + seed));
const axis = { axis: { kind: 'int', value: 1 } } as const;
const float = (name: string, ...dims: (number | string)[]) =>
  ({ name, dtype: 'float32', dims }) as const;

/** Steps behind a cache, which is given out too, as is the input; halves of the steps change places. */
const graph: Graph = {
  name: 'steps',
  opsets: new Map([['', 17]]),
  inputs: [float('x', 'batch', 'steps', width), float('past', 'batch', 'cached', width)],
  outputs: [
    float('y', 'batch', 'all', width),
    float('present', 'batch', 'all', width),
    float('x', 'batch', 'steps', width),
  ],
  nodes: [
    makeNode('Concat', 'cache', ['past', 'x'], ['present'], axis),
    makeNode('MatMul', 'first', ['present', 'w'], ['a']),
    makeNode('Split', 'halves', ['a'], ['front', 'back'], axis),
    makeNode('Concat', 'turned', ['back', 'front'], ['t'], axis),
    makeNode('Softmax', 'softmax', ['t'], ['s']),
    makeNode('MatMul', 'second', ['s', 'w'], ['y']),
  ],
  constants: new Map([['w', floatConstant([width, width], values(width * width))]]),
};

describe('a model of open sizes', () => {
  let pic: PocketIc;
  let deployed: DeployedModel;
  const folder = mkdtempSync(join(tmpdir(), 'canopy-open-sizes-'));
  const path = join(folder, 'model.onnx');

  beforeAll(async () => {
    writeFileSync(path, writeOnnx(graph));
    pic = await createIc();
    const model = { name: 'steps', path, dims: { steps: 2, cached: 40 } };
    deployed = await deployModel(pic, model, { workers: 3 });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await pic.tearDown();
  });

  it.each([
    ['those planned with', 1, 2, 40],
    ['an empty cache', 1, 2, 0],
    ['nothing at all', 2, 0, 0],
    ['no rows', 0, 2, 4],
    ['many rows', 150, 3, 1],
  ])('gives what onnxruntime gives at %s', async (_, batch, steps, cached) => {
    expect(deployed.planned.plan.rowsIndependent).toBe(true);
    const tensor = (length: number, seed: number): Tensor =>
      new Tensor('float32', values(batch * length * width, seed), [batch, length, width]);
    const feeds: Feeds = { x: tensor(steps, 2), past: tensor(cached, 3) };
    const [given, expected] = [await deployed.session.run(feeds), await reference(path, feeds)];
    expect(Object.keys(given).sort()).toEqual(['present', 'x', 'y']);
    for (const [name, wanted] of Object.entries(expected)) {
      expectEqualTensors(name, given[name]!, wanted);
    }
  });

  it('refuses sizes that its parts do not make up', async () => {
    const tensor = new Tensor('float32', values(3 * width), [1, 3, width]);
    const none = new Tensor('float32', new Float32Array(), [1, 0, width]);
    await expect(deployed.session.run({ x: tensor, past: none })).rejects.toThrow(/halves/);
  });
});
