import { CoordinatorClient } from '@canopy/client';
import { workerWasmGz } from '@canopy/worker';
import { encodeBundle, decodeBundle, decodeResult, joinRows } from '@canopy/protocol';
import { expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel } from './deployment.js';
import { fetchWhole } from './fetch-whole.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'mobilenetv2')!;

it('an upgrade of every worker while requests are under way loses none of them', async () => {
  const pic = await createIc();
  try {
    const { deployment, transport, session } = await deployModel(pic, model, { workers: 3 });
    const coordinator = new CoordinatorClient(transport, deployment.coordinator);
    const requests = [0, 1, 2, 3].map((seed) => model.feeds(4, seed));
    const tickets: bigint[] = [];
    for (const feeds of requests) {
      const { type, dims, data } = feeds['pixel_values']!;
      expect(type).toBe('float32');
      const bytes = new Uint8Array((data as Float32Array).buffer.slice(0));
      const bundle = encodeBundle([{ name: 'pixel_values', dtype: 'float32', dims, data: bytes }]);
      tickets.push(await coordinator.submit(deployment.model, bundle));
    }
    for (const canister of deployment.workers) {
      await transport.installCode({ canister, module: workerWasmGz(), mode: 'upgrade' });
      await pic.tick();
    }
    for (const [index, ticket] of tickets.entries()) {
      const bytes = await fetchWhole(coordinator, ticket, () => pic.tick());
      const result = decodeResult(bytes);
      if (result.status !== 'done') {
        expect.fail(`request ${index}: ${JSON.stringify(result, (_, value) => String(value))}`);
      }
      const [logits] = joinRows(result.tasks.map((task) => decodeBundle(task.bundle)));
      const expected = (await reference(model.path, requests[index]!))['logits']!;
      const data = new Float32Array(logits!.data.slice().buffer);
      expectEqualTensors(
        `request ${index}`,
        { type: 'float32', dims: logits!.dims, data },
        expected,
      );
    }
    // And the upgraded workers still hold their shards.
    const feeds = model.feeds(2, 9);
    const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
    expectEqualTensors('afterwards', given['logits']!, expected['logits']!);
  } finally {
    await pic.tearDown();
  }
});
