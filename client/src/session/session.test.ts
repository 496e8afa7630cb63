import { Tensor } from 'onnxruntime-common';
import { describe, expect, test } from 'vitest';
import { ByteWriter, maxMessageBytes } from '@canopy/protocol';
import { deploy } from '../deploy/deploy.js';
import type { ReadyDeployment } from '../deploy/manifest.js';
import { FakeNetwork, doubledBundle, sampleModel } from '../testing/fake-network.js';
import { CanopySession } from './session.js';

const quick = { attempts: 3, firstDelayMs: 1 };

async function setUp(): Promise<{
  network: FakeNetwork;
  session: CanopySession;
  deployment: ReadyDeployment;
}> {
  const network = new FakeNetwork();
  const modules = {
    coordinator: new TextEncoder().encode('coordinator'),
    worker: new TextEncoder().encode('worker'),
  };
  const deployment = await deploy(await sampleModel(), { transport: network, modules });
  network.calls.length = 0;
  const session = await CanopySession.create(deployment, { transport: network, retry: quick });
  return { network, session, deployment };
}

function rowsOf(count: number): Tensor {
  const data = Float32Array.from({ length: count * 2 }, (_, index) => index);
  return new Tensor('float32', data, [count, 2]);
}

describe('CanopySession', () => {
  test('gives what onnxruntime would give', async () => {
    const { session } = await setUp();
    const result = await session.run({ x: rowsOf(3) });
    expect(result['y']).toBeInstanceOf(Tensor);
    expect(result['y']).toMatchObject({ type: 'float32', dims: [3, 2] });
    expect(result['y']?.data).toEqual(Float32Array.of(0, 2, 4, 6, 8, 10));
    expect(session.lastRun).toMatchObject({ requests: 1, microBatches: 1, retries: 0 });
    expect(session.lastRun?.stages).toHaveLength(2);
    expect(session.inputNames).toEqual(['x']);
    expect(session.inputMetadata).toEqual([
      { name: 'x', isTensor: true, type: 'float32', shape: ['batch', 2] },
    ]);
    expect(await session.run({ x: rowsOf(1) }, ['y'])).toHaveProperty('y');
  });

  test('a view into a larger buffer is sent as what it shows', async () => {
    const { session } = await setUp();
    const data = new Float32Array([9, 9, 1, 2, 9]).subarray(2, 4);
    const { y } = await session.run({ x: new Tensor('float32', data, [1, 2]) });
    expect(y?.data).toEqual(Float32Array.of(2, 4));
  });

  test('finds a model by the name its coordinator knows', async () => {
    const { network, deployment } = await setUp();
    const target = { coordinator: deployment.coordinator, model: 'sample' };
    const session = await CanopySession.create(target, { transport: network });
    expect(session.inputNames).toEqual(['x']);
    expect(session.workers).toEqual([]);
    await expect(
      CanopySession.create({ ...target, model: 'none' }, { transport: network }),
    ).rejects.toMatchObject({ code: 'unknown-model' });
  });

  test('feeds larger than a message become several requests, joined in order', async () => {
    const { network, session } = await setUp();
    const rows = 600_000;
    const { y } = await session.run({ x: rowsOf(rows) });
    const requests = network.calls.filter((call) => call === 'infer').length;
    expect(requests).toBe(Math.ceil((rows * 8) / maxMessageBytes));
    expect(session.lastRun?.requests).toBe(requests);
    expect(y?.dims).toEqual([rows, 2]);
    const data = y?.data as Float32Array;
    expect(data.every((value, index) => value === index * 2)).toBe(true);
  });

  test.each([
    [{}, undefined, 'feed "x" is missing'],
    [{ x: rowsOf(1), z: rowsOf(1) }, undefined, 'feed "z" is unknown'],
    [{ x: rowsOf(1) }, ['nope'], 'output "nope" is unknown; the model gives y'],
    [{ x: new Tensor('string', ['a'], [1]) }, undefined, 'a tensor of type string cannot be sent'],
  ])('refuses what the model does not have (%#)', async (feeds, fetches, text) => {
    const { session, network } = await setUp();
    const attempt = session.run(feeds, fetches);
    await expect(attempt).rejects.toMatchObject({ name: 'CanopyError', code: 'bad-feeds' });
    await expect(attempt).rejects.toThrow(text);
    expect(network.calls).toEqual([]);
  });

  test('busy is tried again, bad input is not', async () => {
    const { session, network } = await setUp();
    const err = (code: string, retryable: boolean): unknown => ({
      err: { code, message: 'because', retryable },
    });
    let busy = 2;
    network.inferReply = () => (busy-- > 0 ? err('busy', true) : undefined);
    await session.run({ x: rowsOf(1) });
    expect(session.lastRun?.retries).toBe(2);

    network.calls.length = 0;
    network.inferReply = () => err('bad-input', false);
    await expect(session.run({ x: rowsOf(1) })).rejects.toMatchObject({ code: 'bad-input' });
    expect(network.calls).toEqual(['infer']);

    network.inferReply = () => err('busy', true);
    await expect(session.run({ x: rowsOf(1) })).rejects.toMatchObject({
      code: 'busy',
      retryable: true,
    });
  });

  test('a ticket is fetched in parts and released', async () => {
    const { session, network } = await setUp();
    let result = new Uint8Array();
    network.inferReply = (inputs) => {
      const bundle = doubledBundle(inputs);
      const out = new ByteWriter().u32(0).u64(1n).u32(1).u32(1);
      out.u64(99n).u32(2).u32(3).u32(4).u32(5).u64(0n);
      result = out.u32(bundle.length).bytes(bundle).finish().slice();
      return { ticket: 5n };
    };
    let waits = 1;
    network.fetchReply = (offset) =>
      waits-- > 0
        ? { pending: { done: 0, total: 1 } }
        : { part: { bytes: result.subarray(offset, offset + 50), total: result.length } };
    const fetched: number[] = [];
    const answers = network.fetchReply;
    network.fetchReply = (offset) => {
      fetched.push(offset);
      return answers(offset);
    };
    const { outputs, detail } = await session.runDetailed({ x: rowsOf(20) });
    expect(outputs['y']?.data).toEqual(Float32Array.from({ length: 40 }, (_, index) => index * 2));
    expect(detail.stages).toMatchObject([{ instructions: 99n, messages: 2, scratchBytes: 5 }]);
    // Looked for by query until it was there, then taken once, by calls that consensus agrees on.
    const fetches = network.calls.filter((call) => call.startsWith('fetch'));
    expect(fetches.slice(0, 3)).toEqual(['fetch', 'fetch', 'fetch_update']);
    expect(fetches.slice(3).every((call) => call === 'fetch_update')).toBe(true);
    const parts = Math.ceil(result.length / 50);
    expect(fetched).toEqual([
      0xffffffff,
      0xffffffff,
      ...Array.from({ length: parts }, (_, index) => 50 * index),
    ]);
    await session.release();
    expect(network.calls.at(-1)).toBe('release');
  });
});
