/** The client's whole way over HTTP, with the agents of each release that it takes. */
import { HttpAgent as AgentOf3 } from '@dfinity/agent';
import { HttpAgent as AgentOf5 } from '@icp-sdk/core/agent';
import { HttpAgent as AgentOf6 } from 'icp-sdk-core-6/agent';
import type { PocketIc } from '@dfinity/pic';
import {
  AgentTransport,
  CanopySession,
  CoordinatorClient,
  PocketIcTransport,
  WorkerClient,
  deploy,
  identityFromPem,
  type AgentLike,
  type CallOptions,
  type ReadyDeployment,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { decodeBundle, decodeResult, encodeBundle, type DTypeName } from '@canopy/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel } from './deployment.js';
import { fetchWhole } from './fetch-whole.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'digits-cnn')!;
const identity = identityFromPem(
  `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----`,
);
let pic: PocketIc;
let host: string;
let deployment: ReadyDeployment;

beforeAll(async () => {
  pic = await createIc();
  ({ deployment } = await deployModel(pic, model, { workers: 3 }));
  host = `http://127.0.0.1:${await pic.makeLive()}`;
});
afterAll(async () => {
  await pic.stopLive();
  await pic.tearDown();
});

type Agent = AgentLike & { fetchRootKey(): Promise<unknown> };
const options = (): object => ({ host, identity });

function bundleOf(feeds: ReturnType<typeof model.feeds>): Uint8Array {
  return encodeBundle(
    Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return { name, dtype: type as DTypeName, dims, data: bytes };
    }),
  );
}

describe.each<[string, () => Agent]>([
  ['@dfinity/agent 3', () => AgentOf3.createSync(options())],
  ['@icp-sdk/core 5', () => AgentOf5.createSync(options())],
  ['@icp-sdk/core 6', () => AgentOf6.createSync(options())],
])('%s', (_, create) => {
  let transport: AgentTransport;
  beforeAll(async () => {
    const agent = create();
    await agent.fetchRootKey();
    transport = new AgentTransport(agent);
  });

  it('opens a session by the name of the model, and runs it', async () => {
    const target = { coordinator: deployment.coordinator, model: deployment.model };
    const session = await CanopySession.create(target, { transport });
    const feeds = model.feeds(5, 3);
    const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
    expectEqualTensors('logits', given['logits']!, expected['logits']!);
    await session.release();
  });

  it('submits, fetches a certified result, and releases it', async () => {
    const coordinator = new CoordinatorClient(transport, deployment.coordinator);
    const ticket = await coordinator.submit(deployment.model, bundleOf(model.feeds(2, 1)));
    const whole = await fetchWhole(coordinator, ticket, () => transport.wait(50));
    const certified = await coordinator.fetch(ticket, 0, true);
    if (!('part' in certified)) throw new Error('it was there before');
    expect(Uint8Array.from(certified.part.bytes)).toEqual(whole);
    const result = decodeResult(whole);
    if (result.status !== 'done') throw new Error(result.status);
    expect(decodeBundle(result.tasks[0]!.bundle)[0]?.dims).toEqual([2, 10]);
    await coordinator.release(ticket);
    await expect(coordinator.fetch(ticket, 0, false)).rejects.toMatchObject({
      code: 'unknown-request',
    });
    const [logged] = await coordinator.requests(1);
    expect(String(logged!.caller)).toBe(identity.getPrincipal().toText());
    expect(logged!.stages).toHaveLength(3);
  });

  it('gives up, and the request is cancelled', async () => {
    const session = await CanopySession.create(deployment, { transport });
    const coordinator = new CoordinatorClient(transport, deployment.coordinator);
    const attempt = session.run(model.feeds(64, 2), { signal: AbortSignal.timeout(5) });
    await expect(attempt).rejects.toMatchObject({ name: 'TimeoutError', code: 'timeout' });
    await session.release();
    // Callers see their own requests; the coordinator's figures are for those who operate it.
    const ended = async (): Promise<boolean> => {
      const [logged] = await coordinator.requests(1);
      return logged!.finished_at_ns.length === 1;
    };
    await expect.poll(ended).toBe(true);
  });
});

it('a run that is aborted is cancelled at the workers', async () => {
  const own = await createIc();
  try {
    const transport = new PocketIcTransport(own);
    const planned = await planModel(model.path, { name: 'digits', workers: 3 });
    const modules = { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
    // No call waits for its result: each request is a ticket, looked for while rounds are executed.
    const queued = await deploy(planned, { transport, modules, openCalls: 0 });
    planned.close();
    const session = await CanopySession.create(queued, { transport });
    const controller = new AbortController();
    transport.wait = () => {
      controller.abort(new Error('enough'));
      return Promise.resolve();
    };
    const attempt = session.run(model.feeds(4000, 2), { signal: controller.signal });
    await expect(attempt).rejects.toMatchObject({
      name: 'AbortError',
      code: 'aborted',
      cause: new Error('enough'),
    });
    await session.release();
    await own.tick(20);
    const coordinator = new CoordinatorClient(transport, queued.coordinator);
    const [logged] = await coordinator.requests(1);
    expect(logged!.error[0]).toMatchObject({ code: 'cancelled' });
    for (const worker of queued.workers) {
      const { waiting } = await new WorkerClient(transport, worker).status();
      expect(waiting).toBe(0);
    }
  } finally {
    await own.tearDown();
  }
});

/** Loses calls before they are delivered, and answers after, as told one by one. */
class LossyTransport extends PocketIcTransport {
  readonly faults: ('call' | 'answer' | 'none')[] = [];

  override query(...call: [string, string, Uint8Array, CallOptions?]): Promise<Uint8Array> {
    return this.lossy(() => super.query(call[0], call[1], call[2]));
  }
  override update(...call: [string, string, Uint8Array, CallOptions?]): Promise<Uint8Array> {
    return this.lossy(() => super.update(call[0], call[1], call[2]));
  }

  private async lossy(call: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const fault = this.faults.shift();
    const reset = Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' });
    if (fault === 'call') throw reset;
    const answer = await call();
    if (fault === 'answer') throw reset;
    return answer;
  }
}

it.each([true, false])(
  'answers lost on the way never make a request run twice; certified: %s',
  async (certified) => {
    const own = await createIc();
    try {
      const deployed = await deployModel(own, model, { workers: 3 });
      const transport = new LossyTransport(own);
      const retry = { attempts: 20, firstDelayMs: 0 };
      const session = await CanopySession.create(deployed.deployment, {
        transport,
        certified,
        retry,
      });
      const coordinator = new CoordinatorClient(
        deployed.transport,
        deployed.deployment.coordinator,
      );
      const kinds = ['call', 'answer', 'none'] as const;
      for (let run = 0; run < 12; run++) {
        transport.faults.length = 0;
        for (let at = 0; at < 6; at++)
          transport.faults.push(kinds[(run * 7 + at * at + (run >> 1)) % 3]!);
        transport.faults.unshift('answer');
        const feeds = model.feeds(1 + (run % 3), run + 1);
        const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
        expectEqualTensors('logits', given['logits']!, expected['logits']!);
        await session.release();
        expect((await coordinator.metrics()).requests).toBe(BigInt(run + 1));
      }
    } finally {
      await own.tearDown();
    }
  },
);
