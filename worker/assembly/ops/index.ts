import { CanisterError } from '../generated/constants';
import { text } from '../tensor/errors';
import { failNode, progress } from '../tensor/node';
import { hasItsWords } from './generated/attributes';
import { dispatch } from './generated/dispatch';
import { FAILED, UNKNOWN } from './status';

export { DONE, FAILED, YIELD } from './status';

/** Runs the node under way (`tensor/node`), or goes on with it. DONE, YIELD or FAILED. */
export function runOp(code: u32): i32 {
  if (progress == 0 && !hasItsWords(code)) {
    failNode(CanisterError.badShard);
    text('another number of attribute words expected');
    return FAILED;
  }
  const status = dispatch(code);
  if (status != UNKNOWN) return status;
  failNode(CanisterError.unsupported);
  text('this worker has no such operator; use a newer worker');
  return FAILED;
}
