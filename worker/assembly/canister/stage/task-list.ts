/**
 * Arguments of `run` and `done`: a header, then tasks, each behind its length. Each task is copied to a
 * block of its own, because they are done with at different times.
 */
import {
  listHeaderBytes,
  maxTasksOfRun,
  stageTraceBytes,
  taskHeaderBytes,
  taskLengthBytes,
} from '../../generated/constants';
import { alloc } from '../../tensor/memory';
import { msg_arg_data_copy, msg_arg_data_size } from '../ic/ic0';


/** Length and header of the task at hand. */
const head = memory.data(28, 8);
let at: usize = 0;
/** Of the sender's configuration. */
export let epochSent: u64 = 0;
/** The sender's time, nanoseconds. */
export let sentAt: u64 = 0;
/** Instructions after which a message's work ends, as the head has it. */
export let budgetTold: u64 = 0;
export let taskId: u64 = 0;
export let taskIndex: u32 = 0;
let taskCount: u32 = 0;
export let traceCount: u32 = 0;

/** Goes to the first task; false where the argument is no list of one task or more. */
export function openTasks(maxTraces: u32): bool {
  if (msg_arg_data_size() < listHeaderBytes) return false;
  msg_arg_data_copy(head, 0, listHeaderBytes);
  epochSent = load<u64>(head);
  sentAt = load<u64>(head, 8);
  budgetTold = load<u64>(head, 16);
  at = listHeaderBytes;
  let count: u32 = 0;
  for (let bytes = nextTask(); bytes != 0; bytes = nextTask()) {
    if (taskIndex >= taskCount || taskCount > maxTasksOfRun) return false;
    if (traceCount > maxTraces || <u64>traceCount * stageTraceBytes > bytes - taskHeaderBytes) {
      return false;
    }
    at += bytes;
    count++;
  }
  const whole = at == msg_arg_data_size();
  at = listHeaderBytes;
  return count > 0 && whole;
}

/** Reads the next task's header. Bytes of the task; 0 where there is none, or it is cut short. */
export function nextTask(): u32 {
  const left = msg_arg_data_size() - at;
  if (left < taskLengthBytes + taskHeaderBytes) return 0;
  msg_arg_data_copy(head, at, taskLengthBytes + taskHeaderBytes);
  const bytes = load<u32>(head);
  if (bytes < taskHeaderBytes || bytes > <u32>left - taskLengthBytes) return 0;
  at += taskLengthBytes;
  taskId = load<u64>(head, 4);
  taskIndex = load<u32>(head, 12);
  taskCount = load<u32>(head, 16);
  traceCount = load<u32>(head, 24);
  return bytes;
}

/** Copies the task whose header was read last to a block of its own; 0 where there is no heap. */
export function takeTask(bytes: u32): usize {
  const block = alloc(bytes);
  if (block != 0) msg_arg_data_copy(block, at, bytes);
  at += bytes;
  return block;
}
