import fc from 'fast-check';
import { Principal } from '@dfinity/principal';
import { CanopySession, PocketIcTransport } from '@canopy/client';
import type { PlanOptions } from '@canopy/partitioner';
import type { PocketIc } from '@dfinity/pic';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIc, deployModel } from './deployment.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'digits-cnn')!;
const shapes = [
  { workers: 1 },
  { workers: 2 },
  { workers: 3 },
  { workers: 4, pipelines: 2 },
] as const satisfies readonly PlanOptions[];
const callers = 4;

/** One request; `pause` says what happens before it is sent. */
interface Sending {
  rows: number;
  seed: number;
  caller: number;
  /** So many rounds, or all that is needed to answer those sent before. */
  pause: number | 'answered';
}

const request = {
  rows: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(30),
  caller: fc.nat(callers - 1),
};

/** Up to 12 requests that are sent in one way: at once, one by one, or mixed. */
function sendings(pause: fc.Arbitrary<Sending['pause']>): fc.Arbitrary<Sending[]> {
  return fc.array(fc.record({ ...request, pause }), { minLength: 1, maxLength: 12, size: 'max' });
}

const loads = fc.oneof(
  { weight: 2, arbitrary: sendings(fc.constant(0)) },
  { weight: 1, arbitrary: sendings(fc.constant('answered')) },
  { weight: 3, arbitrary: sendings(fc.oneof(fc.nat(3), fc.constant('answered' as const))) },
);

let pic: PocketIc;
/** By shape, then by caller. */
const sessions: CanopySession[][] = [];
const alone = new Map<string, Buffer>();

function principal(caller: number): string {
  return Principal.selfAuthenticating(new Uint8Array(32).fill(caller + 1)).toText();
}

async function answer(shape: number, { caller, rows, seed }: Omit<Sending, 'pause'>) {
  const { logits } = await sessions[shape]![caller]!.run(model.feeds(rows, seed));
  const { buffer, byteOffset, byteLength } = logits!.data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** What a request gets with no other in flight. */
async function answerAlone(shape: number, rows: number, seed: number): Promise<Buffer> {
  const key = [shape, rows, seed].join();
  let known = alone.get(key);
  if (known === undefined) {
    known = await answer(shape, { caller: 0, rows, seed });
    alone.set(key, known);
  }
  return known;
}

beforeAll(async () => {
  pic = await createIc();
  let coordinator: string | undefined;
  for (const shape of shapes) {
    const name = `digits-${shape.workers}`;
    const { deployment } = await deployModel(pic, model, {
      ...shape,
      name,
      ...(coordinator !== undefined && { coordinator }),
    });
    coordinator = deployment.coordinator;
    const made = Array.from({ length: callers }, (_, caller) => {
      const transport = new PocketIcTransport(pic, { sender: principal(caller) });
      return CanopySession.create(deployment, { transport });
    });
    sessions.push(await Promise.all(made));
  }
});
afterAll(() => pic.tearDown());

it('results do not depend on how many requests are in flight', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(shapes.length - 1), loads, async (shape, load) => {
      const expected: Buffer[] = [];
      for (const { rows, seed } of load) expected.push(await answerAlone(shape, rows, seed));
      const inFlight: Promise<Buffer>[] = [];
      for (const sending of load) {
        if (sending.pause === 'answered') await Promise.all(inFlight);
        else if (sending.pause > 0) await pic.tick(sending.pause);
        inFlight.push(answer(shape, sending));
      }
      const given = await Promise.all(inFlight);
      for (const [index, bytes] of given.entries()) {
        expect(bytes.equals(expected[index]!), `answer ${index} of ${given.length}`).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
