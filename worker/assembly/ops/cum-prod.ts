import { cumulate } from './cumulative';
import { cumProdExclusive, cumProdReverse } from './generated/attributes';

/** X, axis: products of all elements up to each along the axis. */
export function cumProd(): i32 {
  return cumulate(true, cumProdExclusive(), cumProdReverse());
}
