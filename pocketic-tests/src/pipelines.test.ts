import { Principal } from '@dfinity/principal';
import type { PocketIc } from '@dfinity/pic';
import { byPipeline } from '@canopy/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel, type DeployedModel } from './deployment.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'mobilenetv2')!;
const pipelines = 2;

describe('several pipelines of a model', () => {
  let pic: PocketIc;
  let deployed: DeployedModel;

  beforeAll(async () => {
    pic = await createIc();
    deployed = await deployModel(pic, model, { workers: 4, pipelines });
  });
  afterAll(() => pic.tearDown());

  /** Runs a request, compares its answer with onnxruntime's and gives the workers that made it. */
  async function workersOf(rows: number, seed: number): Promise<string[]> {
    const feeds = model.feeds(rows, seed);
    const { outputs, detail } = await deployed.session.runDetailed(feeds);
    const expected = await reference(model.path, feeds);
    expectEqualTensors(`seed ${seed}`, outputs['logits']!, expected['logits']!);
    return detail.stages.map(({ worker }) => worker);
  }
  const groups = (): (readonly string[])[] =>
    byPipeline(deployed.deployment.workers, deployed.deployment.plan);

  it('answer in turn, each as onnxruntime does', async () => {
    expect(deployed.deployment.workers).toHaveLength(4);
    const made: string[][] = [];
    for (let seed = 0; seed < 4; seed++) made.push(await workersOf(1 + seed, seed));
    const [first, second] = groups();
    expect(made).toEqual([first, second, first, second]);
  });

  it('share requests that come at once', async () => {
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    await Promise.all(seeds.map((seed) => workersOf(2, seed)));
  });

  it('do without one whose head is stopped, and with it again when it runs', async () => {
    const [stopped, other] = groups();
    // The type of principals that pic takes is another package's; they are alike.
    const head = {
      canisterId: Principal.fromText(stopped![0]!),
      sender: Principal.anonymous(),
    } as unknown as Parameters<PocketIc['stopCanister']>[0];
    await pic.stopCanister(head);
    for (let seed = 0; seed < 3; seed++) expect(await workersOf(1, seed)).toEqual(other);
    await pic.startCanister(head);
    // It is left out for a while; then a request is offered to it first.
    await pic.advanceTime(10_000);
    await pic.tick();
    expect(await workersOf(1, 4)).toEqual(stopped);
    const made = [await workersOf(1, 5), await workersOf(1, 6)].sort();
    expect(made).toEqual([...groups()].sort());
  });
});
