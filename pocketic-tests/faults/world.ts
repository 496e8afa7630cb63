import { createHash } from 'node:crypto';
import { Principal } from '@dfinity/principal';
import {
  PocketIcTransport,
  deploy,
  workerConfig,
  type ReadyDeployment,
  type Transport,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { testModels } from '@canopy/pocketic-tests';
import {
  WorkerState,
  decodeWorkerStatus,
  encodeChunk,
  encodeWorkerConfig,
  pipelinePlace,
  type Plan,
  type WorkerStatus,
} from '@canopy/protocol';
import { workerWasmGz } from '@canopy/worker';
import { Driver, query, update, type Program } from './driver.js';
import { install } from './management.js';
import { Network } from './network.js';
import { noiseModule } from './noise.js';
import type { Shape } from './shapes.js';

/** Who manages the canisters. */
export const controller = Principal.selfAuthenticating(new Uint8Array(32).fill(200)).toText();
export const callerId = (caller: number): string =>
  Principal.selfAuthenticating(new Uint8Array(32).fill(caller + 1)).toText();

/** A planned shape: shards are read once, and serve every deployment. */
interface Planned {
  plan: Plan;
  /** By stage. */
  chunks: Uint8Array[][];
}

const planned = new Map<string, Promise<Planned>>();

function planOf(shape: Shape): Promise<Planned> {
  let known = planned.get(shape.name);
  if (known === undefined) {
    known = makePlan(shape);
    planned.set(shape.name, known);
  }
  return known;
}

export function modelOf({ model }: Shape): (typeof testModels)[number] {
  return testModels.find(({ name }) => name === model)!;
}

async function makePlan(shape: Shape): Promise<Planned> {
  const { path, dims } = modelOf(shape);
  const { workers, pipelines, microBatchRows } = shape;
  const options = { name: shape.name, dims: { ...dims }, workers, pipelines, microBatchRows };
  const made = await planModel(path, options);
  try {
    const plan = { ...made.plan, resultsStay: shape.resultsStay };
    const chunks = plan.stages.map(({ index, shardBytes }) => {
      const count = Math.ceil(shardBytes / plan.chunkBytes);
      return Promise.all(
        Array.from({ length: count }, async (_, chunk) =>
          Uint8Array.from(await made.readShardChunk(index, chunk)),
        ),
      );
    });
    return { plan, chunks: await Promise.all(chunks) };
  } finally {
    made.close();
  }
}

/** Lets calls go one after the other, so that a deployment is always the same. */
function inTurn(transport: Transport): Transport {
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(transport, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): Promise<unknown> => {
        const result = last.then(() => Reflect.apply(member, target, args) as unknown);
        last = result.catch(() => undefined);
        return result;
      };
    },
  });
}

/** A model deployed on a network of its own. */
export class World {
  readonly driver: Driver;

  private constructor(
    readonly shape: Shape,
    private readonly network: Network,
    readonly deployment: ReadyDeployment,
    private readonly chunks: readonly Uint8Array[][],
    readonly noise: string,
  ) {
    this.driver = new Driver(network);
  }

  static async create(url: string, shape: Shape): Promise<World> {
    const { plan, chunks } = await planOf(shape);
    const network = await Network.create(url);
    const transport = inTurn(new PocketIcTransport(network.pic, { sender: controller }));
    const model = {
      plan,
      readShardChunk: (stage: number, index: number) => Promise.resolve(chunks[stage]![index]!),
    };
    const modules = { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
    const deployment = await deploy(model, { transport, modules });
    const noise = await transport.createCanister({ cycles: 10n ** 18n });
    await transport.installCode({ canister: noise, module: await noiseModule(), mode: 'install' });
    return new World(shape, network, deployment, chunks, noise);
  }

  get coordinator(): string {
    return this.deployment.coordinator;
  }
  get workers(): readonly string[] {
    return this.deployment.workers;
  }
  /** Names of the tensors that the last stage gives, in order. */
  get outputNames(): readonly string[] {
    return this.deployment.plan.stages.at(-1)!.outputs;
  }
  get round(): number {
    return this.network.rounds;
  }

  moduleOf(canister: string): Uint8Array {
    return canister === this.coordinator ? coordinatorWasmGz() : workerWasmGz();
  }

  /** What a worker says of itself; undefined where it does not answer. */
  *statusOf(worker: string): Program<WorkerStatus | undefined> {
    const call = { canister: worker, method: 'status', arg: new Uint8Array() };
    const outcome = yield* query(call, controller);
    return 'reply' in outcome ? decodeWorkerStatus(outcome.reply) : undefined;
  }

  /** Whether a worker has its shard. */
  *isReady(worker: string): Program<boolean> {
    return (yield* this.statusOf(worker))?.state === WorkerState.ready;
  }

  /** Gives a worker its code, its place and its shard again. */
  *rebuild(worker: string): Program {
    const index = this.workers.indexOf(worker);
    const send = (method: string, arg: Uint8Array) =>
      update({ canister: worker, method, arg }, controller);
    yield* update(install(worker, workerWasmGz(), 'reinstall'), controller);
    yield* send('configure', encodeWorkerConfig(workerConfig(this.deployment, index)));
    const { stage } = pipelinePlace(this.deployment.plan, index);
    for (const [chunk, bytes] of this.chunks[stage]!.entries()) {
      const hash = new Uint8Array(createHash('sha256').update(bytes).digest());
      yield* send('put_chunk', encodeChunk({ index: chunk, hash, bytes }));
    }
    yield* send('load', new Uint8Array());
  }

  /** Sets how much of each round the noise takes, see {@link noiseModule}. */
  *setNoise([most, base]: readonly [number, number], seed: number): Program {
    const arg = new Uint8Array(Uint32Array.of(most, seed, base).buffer);
    yield* update({ canister: this.noise, method: 'set', arg }, controller);
  }

  async close(): Promise<void> {
    await this.network.pic.tearDown();
  }
}
