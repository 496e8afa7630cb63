/** `held`: which results a worker keeps, for a coordinator that looks for those it knows nothing of. */
import { CanisterError, EnqueueMode, decodeIds, encodeHeld } from '@canopy/protocol';
import { expect, it } from 'vitest';
import { bundle, coordinator, epoch, Pipeline, rejectionOf, ticketOf } from './testing/pipeline.js';
import './testing/module.js';

function heldAt(p: Pipeline, stage: number): bigint[] {
  const answer = p.workers[stage]!.query('held', coordinator, encodeHeld(epoch));
  if ('reject' in answer) throw new Error(answer.reject.text);
  return decodeIds(answer.reply);
}

it.each([
  ['the head', false],
  ['the last stage where results stay', true],
])('results are named by %s until they are released', (_, resultsStay) => {
  const p = Pipeline.deployed([1, 1], { resultsStay });
  const keeper = resultsStay ? 1 : 0;
  expect(heldAt(p, keeper)).toEqual([]);
  const calls = [1, 2].map((value) => p.enqueue(EnqueueMode.ticket, 1n, [bundle(value)]));
  p.ic.runToIdle();
  const [first, second] = calls.map(({ answer }) => ticketOf(answer));
  expect(new Set(heldAt(p, keeper))).toEqual(new Set([first, second]));
  if (resultsStay) expect(heldAt(p, 0)).toEqual([]);
  p.release(first!);
  expect(heldAt(p, keeper)).toEqual([second]);
});

it('others than the coordinator and the controllers, and those of another epoch, are refused', () => {
  const p = Pipeline.deployed([1]);
  const ask = (caller: string, arg: Uint8Array): string =>
    rejectionOf(p.head.query('held', caller, arg));
  expect(ask('abcd', encodeHeld(epoch))).toContain(CanisterError.notAuthorised.code);
  expect(ask(coordinator, encodeHeld(epoch + 1n))).toContain(CanisterError.otherEpoch.code);
  expect(ask(coordinator, new Uint8Array(3))).toContain('held takes an epoch');
});
