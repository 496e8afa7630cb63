import { Tensor } from 'onnxruntime-common';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ByteWriter } from '@canopy/protocol';
import { UnreachableError } from '../errors.js';
import { deploy } from '../deploy/deploy.js';
import { FakeNetwork, doubledBundle, sampleModel } from '../testing/fake-network.js';
import { CanopySession, type RunOptions } from './session.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};
const x = (rows = 1): Tensor =>
  new Tensor('float32', new Float32Array(2 * rows).fill(3), [rows, 2]);

async function setUp(
  timeoutMs?: number,
): Promise<{ network: FakeNetwork; session: CanopySession }> {
  const network = new FakeNetwork();
  const deployment = await deploy(await sampleModel(), { transport: network, modules });
  network.calls.length = 0;
  const session = await CanopySession.create(deployment, {
    transport: network,
    certified: false,
    retry: { attempts: 4, firstDelayMs: 1 },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  return { network, session };
}
const count = (network: FakeNetwork, method: string): number =>
  network.calls.filter((call) => call === method).length;
const pending = (): unknown => ({ pending: { done: 0, total: 1 } });
const failedResult = (text: string): Uint8Array =>
  new ByteWriter().u32(1).u64(1n).u32(0).text(text).finish();

afterEach(() => {
  vi.useRealTimers();
});

describe('a run that does not end', () => {
  const aborted = (): RunOptions => ({ signal: AbortSignal.abort(new Error('no more')) });
  const soon = (): AbortSignal => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new Error('no more'));
    }, 20);
    return controller.signal;
  };
  const cases: [string, () => RunOptions, object][] = [
    ['timeoutMs', () => ({ timeoutMs: 20 }), { name: 'TimeoutError', code: 'timeout' }],
    ['deadline', () => ({ deadline: Date.now() + 20 }), { name: 'TimeoutError' }],
    ['a date', () => ({ deadline: new Date(Date.now() + 20) }), { name: 'TimeoutError' }],
    [
      'signal',
      () => ({ signal: soon() }),
      { name: 'AbortError', code: 'aborted', cause: new Error('no more') },
    ],
    ['AbortSignal.timeout', () => ({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' }],
  ];

  test.each(cases)('ends by %s, and is cancelled on the IC', async (_, limits, error) => {
    const { network, session } = await setUp();
    network.inferReply = () => ({ ticket: 5n });
    network.fetchReply = pending;
    await expect(session.run({ x: x() }, limits())).rejects.toMatchObject(error);
    await session.release();
    expect(network.calls.at(-1)).toBe('cancel');
    const calls = network.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(network.calls).toHaveLength(calls);
  });

  test.each(cases)(
    'whose ticket is not known yet, ended by %s, is cancelled',
    async (_, limits) => {
      const { network, session } = await setUp();
      const never = new Promise<never>(() => undefined);
      const update = network.update.bind(network);
      network.update = (canister, method, arg) =>
        method === 'infer' ? never : update(canister, method, arg);
      await expect(session.run({ x: x() }, ['y'], limits())).rejects.toThrow();
      await session.release();
      expect(network.calls).toEqual(['cancel']);
    },
  );

  test.each([
    ['timeoutMs', () => ({ timeoutMs: 89_500 }), [90]],
    ['a deadline', () => ({ deadline: Date.now() + 29_500 }), [30]],
    ['the earlier of both', () => ({ timeoutMs: 9_500, deadline: Date.now() + 29_500 }), [10]],
    ['no limit', () => ({ timeoutMs: Infinity }), []],
    ['a limit beyond all deadlines', () => ({ timeoutMs: 2 ** 53 }), []],
    ['nothing: that of the session', () => ({}), [3600]],
  ])('tells the workers how long it may take: %s', async (_, limits, told) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { network, session } = await setUp();
    await session.run({ x: x() }, limits());
    expect(network.numbers.map((number) => number.deadline_seconds)).toEqual([told]);
  });

  test('tells the workers what is left when it asks anew', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { network, session } = await setUp();
    let asked = 0;
    network.inferReply = () => {
      vi.setSystemTime(Date.now() + 20_000);
      const busy = { code: 'busy', message: 'later', retryable: true };
      return ++asked < 3 ? { err: busy } : undefined;
    };
    await session.run({ x: x() }, { timeoutMs: 60_000 });
    expect(network.numbers.map((number) => number.deadline_seconds)).toEqual([[60], [40], [20]]);
  });

  test('ends after the time that the session allows', async () => {
    const { network, session } = await setUp(20);
    network.inferReply = () => ({ ticket: 5n });
    network.fetchReply = pending;
    const attempt = session.run({ x: x() });
    await expect(attempt).rejects.toMatchObject({ code: 'timeout' });
    await expect(attempt).rejects.toThrow('give it more time with "timeoutMs"');
  });

  test.each([
    ['aborted', aborted()],
    ['over', { deadline: Date.now() - 1 }],
    ['over', { timeoutMs: 0 }],
  ])('sends nothing where it was %s before it began', async (_, limits) => {
    const { network, session } = await setUp();
    await expect(session.run({ x: x() }, limits)).rejects.toThrow();
    await session.release();
    expect(network.calls).toEqual([]);
  });

  test('waits for no further try', async () => {
    const { network, session } = await setUp();
    network.inferReply = () => ({ err: { code: 'busy', message: 'later', retryable: true } });
    const controller = new AbortController();
    network.onCall = () => {
      controller.abort();
    };
    await expect(session.run({ x: x() }, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(count(network, 'infer')).toBe(1);
  });

  test('of which one request fails cancels the others', async () => {
    const { network, session } = await setUp();
    let asked = 0;
    network.inferReply = () =>
      ++asked === 2
        ? { err: { code: 'bad-input', message: 'no', retryable: false } }
        : { ticket: BigInt(asked) };
    network.fetchReply = pending;
    await expect(session.run({ x: x(600_000) })).rejects.toMatchObject({ code: 'bad-input' });
    await session.release();
    expect(count(network, 'infer')).toBe(3);
    expect(count(network, 'cancel')).toBe(2);
  });
});

describe('what comes after the answer', () => {
  test('a release that fails takes nothing from the result, and delays nothing', async () => {
    const { network, session } = await setUp();
    network.inferReply = () => undefined;
    let last: Uint8Array = new Uint8Array();
    network.inferReply = (inputs) => {
      last = inputs.slice();
      return { ticket: 5n };
    };
    network.fetchReply = () => {
      const bundle = doubledBundle(last);
      const bytes = new ByteWriter().u32(0).u64(1n).u32(1).u32(0).u32(bundle.length).bytes(bundle);
      return { part: { bytes: bytes.finish(), total: bytes.length } };
    };
    const never = new Promise<never>(() => undefined);
    const update = network.update.bind(network);
    network.update = (canister, method, arg) =>
      method === 'release' ? never : update(canister, method, arg);
    const { y } = await session.run({ x: x() });
    expect(y?.data).toEqual(Float32Array.of(6, 6));
    network.update = update;
    network.failure = (method) => (method === 'release' ? new UnreachableError('gone') : undefined);
    await session.run({ x: x() });
    expect(count(network, 'infer')).toBe(2);
  });

  test('a failed result is forgotten, and how it ended is logged', async () => {
    const { network, session } = await setUp();
    network.inferReply = () => ({ ticket: 5n });
    const failed = failedResult('[bad-input] no');
    network.fetchReply = () => ({ part: { bytes: failed, total: failed.length } });
    await expect(session.run({ x: x() })).rejects.toMatchObject({ code: 'bad-input' });
    await session.release();
    expect(count(network, 'cancel')).toBe(1);
  });

  test('a failure after which another try may help is run anew, under another number', async () => {
    const { network, session } = await setUp();
    let tries = 0;
    network.inferReply = () => (++tries < 3 ? { ticket: 5n } : undefined);
    const failed = failedResult('[next-stage] stage 1 did not answer');
    network.fetchReply = () => ({ part: { bytes: failed, total: failed.length } });
    await session.run({ x: x() });
    expect(session.lastRun?.retries).toBe(2);
    await session.release();
    expect(count(network, 'cancel')).toBe(2);
  });
});
