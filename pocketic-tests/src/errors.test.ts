import { createHash } from 'node:crypto';
import { Principal } from '@dfinity/principal';
import type { PocketIc } from '@dfinity/pic';
import {
  CanopySession,
  CoordinatorClient,
  PocketIcTransport,
  WorkerClient,
  deploy,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { encodeEnqueue } from '@canopy/protocol';
import { workerWasmGz } from '@canopy/worker';
import { Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel, type DeployedModel } from './deployment.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'digits-cnn')!;
const stranger = Principal.selfAuthenticating(new Uint8Array(32)).toText();

describe('errors are clear and the next request works', () => {
  let pic: PocketIc;
  let deployed: DeployedModel;

  beforeAll(async () => {
    pic = await createIc();
    deployed = await deployModel(pic, model, { workers: 3 });
  });
  afterAll(() => pic.tearDown());

  async function expectStillWorking(): Promise<void> {
    const feeds = model.feeds(2, 5);
    const [given, expected] = [
      await deployed.session.run(feeds),
      await reference(model.path, feeds),
    ];
    expectEqualTensors('logits', given['logits']!, expected['logits']!);
  }

  it('wrong input shape', async () => {
    const image = new Tensor('float32', new Float32Array(2 * 8 * 9), [2, 1, 8, 9]);
    await expect(deployed.session.run({ image })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/"image".*8.*9/) as unknown,
    });
    await expectStillWorking();
  });

  it('wrong input type and name', async () => {
    const image = new Tensor('int32', new Int32Array(64), [1, 1, 8, 8]);
    await expect(deployed.session.run({ image })).rejects.toThrow(/"image".*float32.*int32/);
    const picture = new Tensor('float32', new Float32Array(64), [1, 1, 8, 8]);
    await expect(deployed.session.run({ picture })).rejects.toThrow(
      'feed "picture" is unknown; the model takes image',
    );
    await expectStillWorking();
  });

  it('inputs that are no tensor bundle', async () => {
    const coordinator = new CoordinatorClient(deployed.transport, deployed.deployment.coordinator);
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), new Uint8Array(64).fill(255)]) {
      await expect(coordinator.infer(model.name, bytes)).rejects.toMatchObject({
        code: expect.stringMatching(/^bad-(input|message)$/) as unknown,
      });
    }
    await expectStillWorking();
  });

  it('unknown model', async () => {
    const { coordinator } = deployed.deployment;
    const target = { coordinator, model: 'no-such-model' };
    await expect(
      CanopySession.create(target, { transport: deployed.transport }),
    ).rejects.toMatchObject({ code: 'unknown-model' });
    await expect(
      new CoordinatorClient(deployed.transport, coordinator).infer(
        'no-such-model',
        new Uint8Array(8),
      ),
    ).rejects.toMatchObject({
      code: 'unknown-model',
      message: expect.stringContaining('no-such-model') as unknown,
    });
    await expectStillWorking();
  });

  it('a caller without rights', async () => {
    const transport = new PocketIcTransport(pic, { sender: stranger });
    const { coordinator, workers, plan } = deployed.deployment;
    await expect(
      new CoordinatorClient(transport, coordinator).registerModel(
        'mine',
        JSON.stringify(plan),
        workers,
      ),
    ).rejects.toMatchObject({ code: 'not-authorised' });
    for (const method of [
      'configure',
      'put_chunk',
      'load',
      'enqueue',
      'release',
      'run',
      'done',
      'fail',
      'news',
      'step',
      'wake',
    ]) {
      await expect(
        transport.update(workers[1]!, method, new Uint8Array(16)),
        method,
      ).rejects.toThrow('Canister rejected the message');
    }
    await expect(new WorkerClient(transport, workers[1]!).load()).rejects.toMatchObject({
      code: 'not-authorised',
    });
    await expectStillWorking();
  });

  it('malformed messages from a controller', async () => {
    const { workers } = deployed.deployment;
    for (const method of ['configure', 'put_chunk', 'enqueue', 'release']) {
      for (const arg of [new Uint8Array(), new Uint8Array(7).fill(255)]) {
        await expect(
          deployed.transport.update(workers[0]!, method, arg),
          `${method}, ${arg.length} bytes`,
        ).rejects.toThrow(/\[bad-message\]/);
      }
    }
    await expectStillWorking();
  });

  it('a corrupted chunk', async () => {
    const planned = await planModel(model.path, { workers: 3 });
    const worker = new WorkerClient(deployed.transport, deployed.deployment.workers[1]!);
    const bytes = Uint8Array.from(await planned.readShardChunk(1, 0));
    const hash = new Uint8Array(createHash('sha256').update(bytes).digest());
    bytes[1000]! ^= 1;
    await expect(worker.putChunk({ index: 0, hash, bytes })).rejects.toMatchObject({
      code: 'bad-chunk',
      message: expect.stringContaining('chunk 0') as unknown,
    });
    planned.close();
    await expectStillWorking();
  });

  it('a missing shard', async () => {
    const planned = await planModel(model.path, { name: 'incomplete', workers: 3 });
    const { transport } = deployed;
    // Stops after the first chunk, so that the other workers hold nothing.
    let chunks = 0;
    const interrupted = {
      plan: planned.plan,
      readShardChunk: (stage: number, index: number): Promise<Uint8Array> =>
        chunks++ < 1
          ? planned.readShardChunk(stage, index)
          : Promise.reject(new Error('the upload was interrupted')),
    };
    let workers: string[] = [];
    await expect(
      deploy(interrupted, {
        transport,
        coordinator: deployed.deployment.coordinator,
        modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
        uploadConcurrency: 1,
        onManifest: (manifest) => {
          workers = [...manifest.workers];
        },
      }),
    ).rejects.toThrow('the upload was interrupted');
    const coordinator = new CoordinatorClient(transport, deployed.deployment.coordinator);
    await expect(
      coordinator.registerModel('incomplete', JSON.stringify(planned.plan), workers),
    ).rejects.toMatchObject({
      code: 'not-ready',
      message: expect.stringContaining('stage') as unknown,
    });
    const request = encodeEnqueue({
      epoch: 1n,
      mode: 0,
      owner: Uint8Array.of(1),
      tasks: [new Uint8Array(8)],
    });
    await expect(transport.update(workers[0]!, 'enqueue', request)).rejects.toThrow('[not-ready]');
    await expect(transport.update(workers[1]!, 'load', new Uint8Array())).rejects.toThrow(
      /\[not-ready\]|\[bad-shard\]/,
    );
    planned.close();
    await expectStillWorking();
  });
});
