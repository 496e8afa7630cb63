/** Who may call what, and in which state of the worker. */
import { CanisterError, WorkerCaller, WorkerState } from '../../generated/constants';
import { fail, number, text } from '../../tensor/errors';
import { readSelf, reject, rejectFailure, selfPrincipal } from '../ic/answer';
import { is_controller, msg_caller_copy, msg_caller_size } from '../ic/ic0';
import { epoch, isCoordinator, isHead, isWorker } from './config';
import { state } from './loading';

const principalBytes: usize = 29;
const caller = memory.data(32, 8);
let callerLength: usize = 0;

function readCaller(): void {
  callerLength = min(msg_caller_size(), principalBytes);
  msg_caller_copy(caller, 0, callerLength);
}

function isSelf(): bool {
  const length = readSelf();
  return callerLength == length && memory.compare(caller, selfPrincipal(), length) == 0;
}

/** Whether the caller of the message is a `WorkerCaller`. */
export function isFrom(who: u32): bool {
  readCaller();
  switch (who) {
    case WorkerCaller.coordinator:
      return isCoordinator(caller, callerLength) || is_controller(caller, callerLength) == 1;
    case WorkerCaller.worker:
      return isWorker(caller, callerLength);
    case WorkerCaller.self:
      return isSelf();
    default:
      return false;
  }
}

/**
 * True where the caller is who may call a method (`CallerOf`); others are rejected. An empty worker does not
 * know who its coordinator is, and tells everybody so.
 */
export function allows(who: u32): bool {
  if (isFrom(who)) return true;
  if (who == WorkerCaller.coordinator && state == WorkerState.empty) return isConfigured();
  fail(CanisterError.notAuthorised);
  text('only ');
  if (who == WorkerCaller.coordinator) text('its coordinator and its controllers');
  else if (who == WorkerCaller.worker) text('a worker of the same pipeline');
  else text('the worker itself');
  text(' may call this method of a worker');
  rejectFailure();
  return false;
}

/** False, and the message rejected, where there is no configuration. */
export function isConfigured(): bool {
  if (state != WorkerState.empty) return true;
  reject(CanisterError.notConfigured, 'the worker has no configuration: call configure first');
  return false;
}

/** False, and the message rejected, where it carries the epoch of another configuration. */
export function isOfEpoch(sent: u64): bool {
  if (sent == epoch) return true;
  failEpoch(sent);
  rejectFailure();
  return false;
}

/** The text of that failure. */
export function failEpoch(sent: u64): void {
  fail(CanisterError.otherEpoch);
  text('the message is of epoch ');
  number(sent);
  text(', this worker is configured as epoch ');
  number(epoch);
  text('; register the model again, or configure all its workers alike');
}

/** False, and the message rejected, unless this is the head and it has its program. */
export function headIsReady(): bool {
  if (!isConfigured()) return false;
  if (!isHead()) {
    reject(CanisterError.badMessage, 'requests go to the first stage; this is a later one');
    return false;
  }
  if (state == WorkerState.ready) return true;
  reject(CanisterError.notReady, 'the worker has not loaded its shard yet; wait for its status');
  return false;
}
