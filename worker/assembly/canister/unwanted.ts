/**
 * Where results stay at the last stage: requests that failed or were released while tasks of theirs
 * were on the way. The head names them in its answer to the next `done`, and the last stage forgets
 * what it has of them. What is not named in time is pushed out there by later results.
 */
import { restoreBytes, restoreU32, saveBytes, saveU32 } from '../store/saved';
import { resultsStay } from './config';
import { msg_arg_data_copy, msg_arg_data_size, msg_reply_data_append } from './ic0';
import { forgetStaying } from './staying';

const mostIds: u32 = 512;
const ids = memory.data(4096, 8);
let count: u32 = 0;
const field = memory.data(8, 8);

/** Nobody will fetch the result of this request. */
export function unwanted(id: u64): void {
  if (!resultsStay || count == mostIds) return;
  if (count > 0 && load<u64>(ids + <usize>(count - 1) * 8) == id) return;
  store<u64>(ids + <usize>count * 8, id);
  count++;
}

/** Adds the ids to the reply; they are named once. */
export function appendUnwanted(): void {
  msg_reply_data_append(ids, <usize>count * 8);
  count = 0;
}

/** The head's reply to `done` is the argument: forgets what it names. */
export function forgetUnwanted(): void {
  const size = msg_arg_data_size();
  for (let at: usize = 0; at + 8 <= size; at += 8) {
    msg_arg_data_copy(field, at, 8);
    forgetStaying(load<u64>(field));
  }
}

export function saveUnwanted(): void {
  saveU32(count);
  saveBytes(ids, count * 8);
}
export function restoreUnwanted(): void {
  count = min(restoreU32(), mostIds);
  restoreBytes(ids, count * 8);
}
