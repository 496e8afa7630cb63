/** Where calls come back to. The build checks that these two have the table indexes 1 and 2. */
import { keepsResults } from '../setup/config';
import { CallKind, kindOf, numberOf } from '../ic/ids';
import { delivered, deliveryRejected } from '../stage/outbox';
import { schedule, stepRejected } from '../stage/pace';
import { releaseNamed } from '../stage/kept';
import { awake } from '../head/waiting';

export function callback_reply(env: i32): void {
  const kind = kindOf(env);
  if (kind == CallKind.wake) awake(numberOf(env));
  else if (kind == CallKind.deliver) {
    if (keepsResults()) releaseNamed();
    delivered(numberOf(env));
  }
}

export function callback_reject(env: i32): void {
  const kind = kindOf(env);
  if (kind == CallKind.wake) awake(numberOf(env));
  else if (kind == CallKind.step) stepRejected(numberOf(env));
  else if (kind == CallKind.deliver) {
    deliveryRejected(numberOf(env));
    schedule();
  }
}

/** Referring to them puts them into the table. */
export const replyIndex: i32 = callback_reply.index;
export const rejectIndex: i32 = callback_reject.index;
