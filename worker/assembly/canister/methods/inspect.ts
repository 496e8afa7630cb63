/** Which messages from outside are taken: those that would be rejected are refused before they cost anything. */
import {
  WorkerCaller,
  argumentBytesOfMethod,
  callerOfMethod,
  wholeChunk,
} from '../../generated/constants';
import { chunkLengthWanted } from '../setup/config';
import { isFrom } from '../setup/access';
import {
  accept_message,
  msg_arg_data_size,
  msg_method_name_copy,
  msg_method_name_size,
} from '../ic/ic0';

/** Longer than the name of any method. */
const nameBytes: usize = 32;
const name = memory.data(32, 1);
/** Bytes of a `Chunk` before its content. */
const chunkHeaderBytes: u32 = 36;

/** Workers and the worker itself are canisters, whose calls do not come from outside. */
export function inspectMessage(): void {
  const length = msg_method_name_size();
  if (length > nameBytes) return;
  msg_method_name_copy(name, 0, length);
  if (callerOfMethod(name, length) != WorkerCaller.coordinator) return;
  if (!isFrom(WorkerCaller.coordinator)) return;
  let most = argumentBytesOfMethod(name, length);
  if (most == wholeChunk) most = chunkHeaderBytes + chunkLengthWanted;
  if (msg_arg_data_size() <= <usize>most) accept_message();
}
