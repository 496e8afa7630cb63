import { packMatrix, packedChannels } from '@canopy/protocol';
import type { TestTensor } from './engine.js';
import { floats } from './compare.js';

/** [n, c, h, w] to [n, h, w, c]. */
export function channelsLast(x: TestTensor): TestTensor {
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < c; j++) {
      for (let k = 0; k < h * w; k++)
        out[(i * h * w + k) * c + j] = x.data[(i * c + j) * h * w + k]!;
    }
  }
  return floats([n, h, w, c], out);
}

/** [n, h, w, c] to [n, c, h, w]. */
export function channelsFirst(x: TestTensor): TestTensor {
  const [n, h, w, c] = x.dims as [number, number, number, number];
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < h * w; k++) {
      for (let j = 0; j < c; j++) out[(i * c + j) * h * w + k] = x.data[(i * h * w + k) * c + j]!;
    }
  }
  return floats([n, c, h, w], out);
}

/** [depth, n] in panels. */
export function packedWeights(w: TestTensor, depth: number, n: number): TestTensor {
  const data = packMatrix(depth, n, (k, j) => w.data[k * n + j]!);
  return floats([data.length], data);
}

/** A filter [outC, inC / group, kernelH, kernelW] in panels, group after group. */
export function packedFilter(filter: TestTensor, group: number): TestTensor {
  const [outC, inC, kh, kw] = filter.dims as [number, number, number, number];
  const groupOut = outC / group;
  const parts: number[] = [];
  for (let g = 0; g < group; g++) {
    parts.push(
      ...packMatrix(kh * kw * inC, groupOut, (k, j) => {
        const [tap, c] = [Math.floor(k / inC), k % inC];
        return filter.data[((g * groupOut + j) * inC + c) * kh * kw + tap]!;
      }),
    );
  }
  return floats([parts.length], parts);
}

/** A filter [channels, 1, kernelH, kernelW] as [kernelH * kernelW, channels rounded up to 4]. */
export function depthwiseFilter(filter: TestTensor): TestTensor {
  const [channels, , kh, kw] = filter.dims as [number, number, number, number];
  const width = packedChannels(channels);
  const out = new Float32Array(kh * kw * width);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < kh * kw; t++) out[t * width + c] = filter.data[c * kh * kw + t]!;
  }
  return floats([kh * kw, width], out);
}

/** A bias padded to whole vectors, group after group. */
export function paddedBias(bias: TestTensor, group = 1): TestTensor {
  const size = bias.data.length / group;
  const width = packedChannels(size);
  const out = new Float32Array(width * group);
  for (let i = 0; i < bias.data.length; i++) {
    out[Math.floor(i / size) * width + (i % size)] = bias.data[i]!;
  }
  return floats([out.length], out);
}
