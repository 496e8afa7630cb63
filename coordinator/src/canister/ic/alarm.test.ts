import { expect, test } from 'vitest';
import { FakeIc } from '../../testing/fake-ic.js';
import { Alarm } from './alarm.js';

test('an alarm is set once, until it has run', () => {
  const ic = new FakeIc();
  let runs = 0;
  const alarm = new Alarm(ic, 10, () => runs++);
  alarm.set();
  alarm.set();
  expect(ic.timers).toHaveLength(1);
  ic.timers[0]!();
  expect(runs).toBe(1);
  expect(ic.timers).toHaveLength(0);
  alarm.set();
  expect(ic.timers).toHaveLength(1);
});

test('one that is overdue is set again', () => {
  const ic = new FakeIc();
  const alarm = new Alarm(ic, 10, () => undefined);
  alarm.set();
  const [lost] = ic.timers;
  ic.time += 60_000_000_000n;
  alarm.set();
  expect(ic.timers).toHaveLength(1);
  ic.time += 11_000_000_000n;
  alarm.set();
  expect(ic.timers).toHaveLength(1);
  expect(ic.timers[0]).not.toBe(lost);
});
