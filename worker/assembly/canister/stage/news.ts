/**
 * News for the head: a stage that has tasks names them from time to time, so that one that is silent
 * about a task has lost it, however long tasks take.
 */
import { alloc, release } from '../../tensor/memory';
import { noteNews } from '../head/tasks';
import { callCanister, newsName } from '../ic/calls';
import { isLow } from '../ic/cycles';
import { call_data_append, call_perform } from '../ic/ic0';
import { CallKind } from '../ic/ids';
import { runTimerWithin } from '../ic/timer';
import { watchSeconds } from '../pacing/limits';
import { epoch, isHead, worker } from '../setup/config';
import { firstInInbox, inboxCount, Work } from './inbox';
import { Delivery, deliveries, firstDelivery } from './outbox';
import { current } from './work';

/** In place of a task: the stage is low on cycles. */
export const lowNews: u64 = u64.MAX_VALUE;

/** Where the next id is written. */
let out: usize = 0;

function add(taskId: u64): void {
  store<u64>(out, taskId);
  out += 8;
}

function tasksHere(): u32 {
  return inboxCount + deliveries + <u32>(current != 0);
}

/** Tells the head of the tasks that are here; the head tells itself. */
export function tellNews(): void {
  const count = tasksHere();
  if (count == 0) return;
  runTimerWithin(watchSeconds);
  const block = alloc((count + 2) << 3);
  if (block == 0) return;
  out = block;
  add(epoch);
  if (current != 0) add(changetype<Work>(current).taskId);
  for (let at = firstInInbox(); at != 0; at = changetype<Work>(at).next) {
    add(changetype<Work>(at).taskId);
  }
  for (let at = firstDelivery(); at != 0; at = changetype<Delivery>(at).next) {
    add(changetype<Delivery>(at).taskId);
  }
  if (!isHead() && isLow()) add(lowNews);
  if (isHead()) {
    for (let at = block + 8; at < out; at += 8) noteNews(load<u64>(at));
  } else {
    callCanister(worker(0), newsName, 4, CallKind.notice, 0);
    call_data_append(block, out - block);
    call_perform();
  }
  release(block);
}
