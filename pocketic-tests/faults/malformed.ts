/** Messages that no part of a deployment would send. */
import {
  EnqueueMode,
  encodeEnqueue,
  encodeFetch,
  encodeNews,
  encodeRelease,
} from '@canopy/protocol';
import { coordinatorMethods } from './coordinator-calls.js';
import type { Call } from './network.js';
import type { Random } from './random.js';
import { callerId, controller, type World } from './world.js';

export interface Sent {
  call: Call;
  sender: string;
  isQuery: boolean;
}

const workerMethods = [
  [
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
  ],
  ['status', 'chunks', 'fetch'],
] as const;

const random32 = (random: Random): number => random.below(2 ** 31);

function bytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(256));
}

/** Cut, longer, or with some bits or words changed. */
function mutated(random: Random, good: Uint8Array): Uint8Array {
  const copy = good.slice();
  switch (random.below(4)) {
    case 0:
      return copy.subarray(0, random.below(copy.length + 1));
    case 1:
      return Uint8Array.from([...copy, ...bytes(random, 1 + random.below(20))]);
    case 2:
      for (let i = 0; i < 4 && copy.length > 0; i++) {
        copy[random.below(Math.min(copy.length, 64))]! ^= 1 << random.below(8);
      }
      return copy;
    default:
      if (copy.length < 8) return bytes(random, 8);
      new DataView(copy.buffer).setUint32(
        4 * random.below(Math.min(24, copy.length >> 2)),
        random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff]),
        true,
      );
      return copy;
  }
}

/** What a stranger may make up: well-formed or not, none of it counts. */
function made(random: Random, method: string): Uint8Array {
  const epoch = BigInt(random32(random));
  const id = BigInt(random32(random));
  switch (method) {
    case 'enqueue': {
      const owner = new Uint8Array(29);
      return encodeEnqueue({ epoch, mode: EnqueueMode.ticket, owner, tasks: [bytes(random, 60)] });
    }
    case 'fetch':
      return encodeFetch(epoch, id, random32(random), random32(random));
    case 'release':
      return encodeRelease(epoch, [id]);
    case 'news':
      return encodeNews(epoch, [id]);
    default:
      return bytes(random, random.below(120));
  }
}

/** A message to a worker or to the coordinator. */
export function malformed(world: World, random: Random): Sent {
  return random.chance(0.3) ? toCoordinator(world, random) : toWorker(world, random);
}

function toWorker({ workers, coordinator }: World, random: Random): Sent {
  const isQuery = random.chance(0.2);
  const method = random.pick<string>(workerMethods[isQuery ? 1 : 0]);
  const arg = mutated(random, made(random, method));
  // What those who may configure a worker say may be right by chance, and is then done.
  const trusted = method === 'load' || method === 'configure' || method === 'put_chunk';
  const senders = [
    callerId(0),
    callerId(90),
    ...(trusted ? [] : [controller, coordinator, ...workers]),
  ];
  const call = { canister: random.pick(workers), method, arg };
  return { call, sender: random.pick(senders), isQuery };
}

function toCoordinator({ coordinator }: World, random: Random): Sent {
  const [method, { annotations }] = random.pick(Object.entries(coordinatorMethods));
  const arg = mutated(
    random,
    Buffer.concat([Buffer.from('DIDL'), bytes(random, random.below(80))]),
  );
  const call = { canister: coordinator, method, arg };
  return {
    call,
    sender: random.pick([callerId(0), callerId(90)]),
    isQuery: annotations.length > 0,
  };
}
