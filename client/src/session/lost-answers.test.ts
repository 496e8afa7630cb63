import fc from 'fast-check';
import { Tensor } from 'onnxruntime-common';
import { expect, test } from 'vitest';
import { CallRejected } from '../errors.js';
import { deploy } from '../deploy/deploy.js';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { CanopySession } from './session.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};

async function setUp(
  certified: boolean,
): Promise<{ network: FakeNetwork; session: CanopySession }> {
  const network = new FakeNetwork();
  const deployment = await deploy(await sampleModel(), { transport: network, modules });
  network.calls.length = 0;
  const retry = { attempts: 20, firstDelayMs: 0 };
  const session = await CanopySession.create(deployment, { transport: network, certified, retry });
  return { network, session };
}

const reset = (): Error =>
  new TypeError('fetch failed', {
    cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
  });

test('whichever calls fail and whichever answers are lost, a request runs once and is answered', async () => {
  const fault = fc.constantFrom('call', 'answer', 'transient', 'none');
  const faults = fc.array(fault, { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(faults, fc.boolean(), async (all, certified) => {
      const { network, session } = await setUp(certified);
      const left = [...all];
      network.failure = () => {
        if (left[0] === 'call') return left.shift() && reset();
        if (left[0] === 'transient') return left.shift() && new CallRejected(2, 'subnet is busy');
        return undefined;
      };
      network.loss = () => (left.shift() === 'answer' ? reset() : undefined);
      const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2), [1, 2]) });
      expect(y?.data).toEqual(Float32Array.of(2, 4));
      expect(network.runs).toBe(1);
      await session.release();
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['an error of this program', new TypeError('x is not a function'), 'unexpected'],
  [
    'a certificate that does not verify',
    Object.assign(new Error('Invalid certificate: Signature verification failed'), {
      kind: 'Trust',
    }),
    'untrusted',
  ],
  ['a rejection', new CallRejected(5, 'Canister trapped'), 'rejected'],
  ['a refusal', Object.assign(new Error('no'), { code: { status: 400 } }), 'rejected'],
])('%s is passed on, with its cause, and nothing is sent again', async (_, error, code) => {
  const { network, session } = await setUp(false);
  network.failure = (method) => (method === 'infer' ? error : undefined);
  const run = session.run({ x: new Tensor('float32', Float32Array.of(1, 2), [1, 2]) });
  await expect(run).rejects.toMatchObject({
    name: 'CanopyError',
    code,
    retryable: false,
    cause: error,
  });
  await session.release();
  expect(network.calls).toEqual(['infer']);
});

test('an answer that is no Candid, or no result, is passed on', async () => {
  const { network, session } = await setUp(false);
  const run = (): Promise<unknown> =>
    session.run({ x: new Tensor('float32', Float32Array.of(1, 2), [1, 2]) });
  network.inferReply = () => ({ ticket: 1n });
  network.fetchReply = () => ({ part: { bytes: Uint8Array.of(1, 2), total: 2 } });
  await expect(run()).rejects.toMatchObject({ code: 'bad-reply', retryable: false });
  const query = network.query.bind(network);
  network.query = async (...args) => (await query(...args)).slice(1);
  await expect(run()).rejects.toMatchObject({ code: 'bad-reply', retryable: false });
  expect(network.calls.filter((call) => call === 'infer')).toHaveLength(2);
});

test('an IC that stays unreachable is said to be, after the tries asked for', async () => {
  const { network, session } = await setUp(false);
  network.failure = reset;
  const run = session.run({ x: new Tensor('float32', Float32Array.of(1, 2), [1, 2]) });
  await expect(run).rejects.toMatchObject({ name: 'UnreachableError', code: 'unreachable' });
  await expect(run).rejects.toThrow('fetch failed: reset');
  expect(network.calls.filter((call) => call === 'infer')).toHaveLength(20);
});
