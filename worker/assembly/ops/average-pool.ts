import { averagePoolCeilMode, averagePoolCountIncludePad } from './generated/attributes';
import { pool } from './pool';

/** X [n,h,w,c]: the mean of each window. */
export function averagePool(): i32 {
  return pool(false, averagePoolCeilMode(), averagePoolCountIncludePad());
}
