import type { PocketIc } from '@dfinity/pic';
import { CanopySession, CoordinatorClient } from '@canopy/client';
import { decodeBundle, decodeResult, encodeBundle, joinRows } from '@canopy/protocol';
import { workerWasmGz } from '@canopy/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel, type DeployedModel } from './deployment.js';
import { fetchWhole } from './fetch-whole.js';
import { testModels } from './models.js';

/** A row of its outputs takes half a megabyte. */
const model = testModels.find(({ name }) => name === 'ppocr-recognition')!;

describe('a large result stays at the last worker', () => {
  let pic: PocketIc;
  let deployed: DeployedModel;

  beforeAll(async () => {
    pic = await createIc();
    deployed = await deployModel(pic, model, { workers: 3 });
  });
  afterAll(() => pic.tearDown());

  it.each([true, false])('and equals onnxruntime; certified: %s', async (certified) => {
    const { deployment, transport, planned } = deployed;
    expect(planned.plan.resultsStay).toBe(true);
    const session = await CanopySession.create(deployment, { transport, certified });
    const feeds = model.feeds(1, 3);
    const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
    const [[name, tensor]] = Object.entries(expected) as [[string, (typeof expected)[string]]];
    expectEqualTensors('result', given[name]!, tensor);
    const { stages, bytesReceived } = session.lastRun!;
    expect(bytesReceived).toBeGreaterThan(500_000);
    expect(Number(stages.at(-1)!.bytesSent)).toBeLessThan(64);
  });

  it('through upgrades of all workers, and is gone when it is released', async () => {
    const { deployment, transport } = deployed;
    const coordinator = new CoordinatorClient(transport, deployment.coordinator);
    const feeds = model.feeds(1, 4);
    const [[input, { dims, data }]] = Object.entries(feeds) as [[string, (typeof feeds)[string]]];
    const bytes = new Uint8Array((data as Float32Array).buffer.slice(0));
    const bundle = encodeBundle([{ name: input, dtype: 'float32', dims, data: bytes }]);
    const ticket = await coordinator.submit(deployment.model, bundle);
    const pass = (): Promise<void> => pic.tick();
    const before = await fetchWhole(coordinator, ticket, pass);
    for (const canister of deployment.workers) {
      await transport.installCode({ canister, module: workerWasmGz(), mode: 'upgrade' });
    }
    const after = await fetchWhole(coordinator, ticket, pass, true);
    expect(after).toEqual(before);
    const result = decodeResult(after);
    if (result.status !== 'done') return expect.fail(result.status);
    const [tensor] = joinRows(result.tasks.map((task) => decodeBundle(task.bundle)));
    const [expected] = Object.values(await reference(model.path, feeds));
    const values = new Float32Array(tensor!.data.slice().buffer);
    const given = { type: 'float32', dims: tensor!.dims, data: values };
    expectEqualTensors('after upgrades', given, expected!);
    await coordinator.release(ticket);
    await expect(coordinator.fetch(ticket, 0, false)).rejects.toThrow(/unknown-request|not known/);
  });
});
