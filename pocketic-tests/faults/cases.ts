/** Inputs of requests, and what each gives alone. */
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { encodeBundle, type BundleTensor } from '@canopy/protocol';
import type { Feeds } from '@canopy/pocketic-tests';
import {
  coordinatorCall,
  decodeAsked,
  decodeFetched,
  fetchedOutputs,
  fingerprint,
} from './coordinator-calls.js';
import { pause, query, update, type Program } from './driver.js';
import type { Shape } from './shapes.js';
import { World, callerId, modelOf } from './world.js';

export interface Case {
  index: number;
  /** A tensor bundle. */
  inputs: Uint8Array;
  /** Outputs of the request with no other in flight, see `fingerprint`. */
  alone: string;
  /** All cases of the shape. */
  all: readonly Case[];
}

/** Largest difference from onnxruntime: this much absolute, plus this share of the expected value. */
const tolerance = 1e-3;
const known = new Map<string, Promise<Case[]>>();

/** The cases of a shape, each with other inputs. Found out once. Throws where one is not as onnxruntime has it. */
export function casesOf(url: string, shape: Shape): Promise<Case[]> {
  let cases = known.get(shape.name);
  if (cases === undefined) {
    cases = makeCases(url, shape);
    known.set(shape.name, cases);
  }
  return cases;
}

async function makeCases(url: string, shape: Shape): Promise<Case[]> {
  const model = modelOf(shape);
  const session = await InferenceSession.create(model.path, { logSeverityLevel: 3 });
  const world = await World.create(url, shape);
  const cases: Case[] = [];
  for (let index = 0; index < shape.requests; index++) {
    const feeds = model.feeds(1 + (index % shape.mostRows), index + 1);
    const inputs = bundleOf(feeds);
    const tensors = await world.driver.finish(outputsAlone(world, inputs));
    if (tensors === undefined) throw new Error(`case ${index} of ${shape.name} is not answered`);
    requireClose(tensors, await session.run(feeds), `case ${index} of ${shape.name}`);
    cases.push({ index, inputs, alone: fingerprint(tensors), all: cases });
  }
  await world.close();
  const different = new Set(cases.map(({ alone }) => alone));
  if (different.size < cases.length) throw new Error(`two cases of ${shape.name} give the same`);
  return cases;
}

function bundleOf(feeds: Feeds): Uint8Array {
  return encodeBundle(
    Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const { buffer, byteOffset, byteLength } = data as Float32Array | BigInt64Array;
      const dtype = type === 'int64' ? 'int64' : 'float32';
      return {
        name,
        dtype,
        dims,
        data: new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength)),
      };
    }),
  );
}

function* outputsAlone(world: World, inputs: Uint8Array): Program<BundleTensor[]> {
  const sender = callerId(0);
  const call = (method: string, args: unknown[]) =>
    coordinatorCall(world.coordinator, method, args);
  const sent = yield* update(call('submit', [world.shape.name, inputs, []]), sender);
  const asked = sent.error === undefined ? decodeAsked('submit', sent.reply) : sent;
  if (!('ok' in asked) || typeof asked.ok !== 'bigint') throw new Error(JSON.stringify(asked));
  for (;;) {
    const got = yield* query(call('fetch', [asked.ok, 0]), sender);
    const part = got.error === undefined ? decodeFetched(got.reply) : got;
    if ('pending' in part) {
      yield* pause(1);
      continue;
    }
    if (!('part' in part)) throw new Error(JSON.stringify(part));
    yield* update(call('release', [asked.ok]), sender);
    const result = fetchedOutputs(Uint8Array.from(part.part.bytes), world.outputNames);
    if ('failure' in result) throw new Error(result.failure);
    return result.tensors;
  }
}

function requireClose(
  given: readonly BundleTensor[],
  expected: Record<string, Tensor>,
  what: string,
): void {
  for (const [name, { data, dims }] of Object.entries(expected)) {
    const found = given.find((one) => one.name === name);
    if (found?.dims.join() !== dims.join()) throw new Error(`${what}: ${name} has another shape`);
    const values = new Float32Array(found.data.slice().buffer);
    (data as Float32Array).forEach((value, at) => {
      if (Math.abs(values[at]! - value) <= tolerance + tolerance * Math.abs(value)) return;
      throw new Error(`${what}: ${name}[${at}] is ${values[at]!} instead of ${value}`);
    });
  }
}
