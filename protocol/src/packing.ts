/**
 * How constant weights lie in a shard so that kernels read them from front to back.
 *
 * A matrix [K, N] is cut by output channels into panels of {@link panelChannels}; the last panel is
 * as wide as the rest rounded up to a multiple of 4 (zeros fill it). A panel of width P holds, for
 * k = 0..K-1, the P values w[k][n0..n0+P-1]. The panels follow one another.
 *
 * A convolution filter [outC, inC/group, kernelH, kernelW] is, for each group, such a matrix with
 * K = kernelH * kernelW * inC/group in the order (kernelH, kernelW, inC): the order in which a row of
 * a channels-last image lies in memory.
 *
 * Biases are padded with zeros to the panels' total width, those of each group by themselves.
 */
export const panelChannels = 16;

/** Width of all panels of N output channels together: N rounded up to a multiple of 4. */
export function packedChannels(channels: number): number {
  return Math.ceil(channels / 4) * 4;
}

/** f32 elements a packed matrix [K, N] takes. */
export function packedMatrixElements(k: number, n: number): number {
  return k * packedChannels(n);
}

/** Packs `get(k, n)` for 0 <= k < K, 0 <= n < N into panels; shape [packedMatrixElements(K, N)]. */
export function packMatrix(
  k: number,
  n: number,
  get: (k: number, n: number) => number,
): Float32Array {
  const out = new Float32Array(packedMatrixElements(k, n));
  let at = 0;
  for (let start = 0; start < n; start += panelChannels) {
    const width = Math.min(panelChannels, packedChannels(n - start));
    for (let row = 0; row < k; row++) {
      for (let lane = 0; lane < width; lane++, at++) {
        if (start + lane < n) out[at] = get(row, start + lane);
      }
    }
  }
  return out;
}
