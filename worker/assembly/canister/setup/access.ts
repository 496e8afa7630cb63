/** Who may call what, and in which state of the worker. */
import { CanisterError, WorkerState } from '../../generated/constants';
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

function refuse(who: string): bool {
  fail(CanisterError.notAuthorised);
  text('only ');
  text(who);
  text(' may call this method of a worker');
  rejectFailure();
  return false;
}

/**
 * True for the coordinator and the controllers; others are rejected. An empty worker does not know who
 * its coordinator is, and tells everybody so.
 */
export function fromCoordinator(): bool {
  readCaller();
  if (isCoordinator(caller, callerLength)) return true;
  if (is_controller(caller, callerLength) == 1) return true;
  if (state == WorkerState.empty) return isConfigured();
  return refuse('its coordinator and its controllers');
}

/** True for the workers of the same pipeline; others are rejected. */
export function fromWorker(): bool {
  readCaller();
  if (isWorker(caller, callerLength)) return true;
  return refuse('a worker of the same pipeline');
}

/** True for the canister itself; others are rejected. */
export function fromSelf(): bool {
  readCaller();
  const length = readSelf();
  if (callerLength == length && memory.compare(caller, selfPrincipal(), length) == 0) return true;
  return refuse('the worker itself');
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
