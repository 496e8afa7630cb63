/**
 * Depths of the kernels that a depth goes through, one after another: cut into pieces of `piece`, each of
 * them by the greatest of `depths` that fit.
 */
export function passes(depths: readonly number[], piece: number, depth: number): number[] {
  const found: number[] = [];
  for (let first = 0; first < depth; first += piece) {
    let rest = Math.min(piece, depth - first);
    for (const some of depths) {
      for (; rest >= some; rest -= some) found.push(some);
    }
  }
  return found;
}
