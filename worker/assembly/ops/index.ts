import { CanisterError } from '../generated/constants';
import { failNode } from '../tensor/node';
import { text } from '../tensor/errors';
import { FAILED } from './status';

export { DONE, FAILED, YIELD } from './status';

/** Runs the node under way (`tensor/node`), or goes on with it. DONE, YIELD or FAILED. */
export function runOp(code: u32): i32 {
  switch (code) {
    default:
      failNode(CanisterError.unsupported);
      text('this worker has no such operator; use a newer worker');
      return FAILED;
  }
}
