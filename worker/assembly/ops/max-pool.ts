import { maxPoolCeilMode } from './generated/attributes';
import { pool } from './pool';

/** X [n,h,w,c]: the largest of each window. */
export function maxPool(): i32 {
  return pool(true, maxPoolCeilMode(), false);
}
