import { expect, test } from 'vitest';
import { Interrupted } from './errors.js';
import { abortable, catchSignals } from './interrupt.js';

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s ends work with %i, a second one what does not end by itself',
  async (name, code) => {
    const listeners = process.listenerCount(name);
    const interruption = catchSignals();
    const work = abortable(interruption.signal, new Promise<never>(() => undefined));
    process.emit(name, name);
    await expect(work).rejects.toMatchObject({ name: 'Interrupted', exitCode: code });
    process.emit(name, name);
    await expect(interruption.overdue).rejects.toBeInstanceOf(Interrupted);
    interruption.stop();
    expect(process.listenerCount(name)).toBe(listeners);
  },
);

test('work that is not interrupted gives what it gives', async () => {
  const { signal } = new AbortController();
  expect(await abortable(signal, Promise.resolve(7))).toBe(7);
  await expect(abortable(signal, Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('the advice is part of the text', () => {
  expect(new Interrupted('SIGINT').message).toBe('interrupted');
  expect(new Interrupted('SIGINT', 'go on').message).toBe('interrupted: go on');
});
