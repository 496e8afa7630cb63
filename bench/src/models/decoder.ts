import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { float, GraphBuilder, int, ints } from './graph-builder.js';
import { WeightFile } from './weight-file.js';

/** Sizes of a decoder-shaped transformer. */
export interface DecoderShape {
  hidden: number;
  layers: number;
  heads: number;
  /** Width of the MLP between its two products. */
  mlp: number;
  vocabulary: number;
  /** Longest prompt. */
  positions: number;
  seed: number;
}

/** Numbers of all weights but biases and norms, which are few. */
export function decoderParameters({ hidden, layers, mlp, vocabulary }: DecoderShape): number {
  return layers * (4 * hidden * hidden + 2 * hidden * mlp) + 2 * vocabulary * hidden;
}

const weightsName = 'weights.bin';

/**
 * Writes a decoder without cache as `model.onnx` with `weights.bin` beside it, weight after weight:
 * `ids` int64 [1, seq] to `logits` [1, seq, vocabulary]. Embeddings with learned positions, layer norms
 * before attention and MLP, a causal mask, an untied head. Weights are random, from the seed.
 *
 * @returns the model's path
 */
export function writeDecoder(folder: string, shape: DecoderShape): string {
  const path = join(folder, 'model.onnx');
  mkdirSync(folder, { recursive: true });
  const weights = new WeightFile(join(folder, weightsName));
  try {
    const model = new Decoder(shape, weights).finish(weightsName);
    // The model's file comes last and whole: where it is, its weights are.
    const partial = `${path}.partial`;
    writeFileSync(partial, model);
    renameSync(partial, path);
    return path;
  } finally {
    weights.close();
  }
}

class Decoder {
  private readonly model: GraphBuilder;

  constructor(
    private readonly shape: DecoderShape,
    weights: WeightFile,
  ) {
    this.model = new GraphBuilder('decoder', shape.seed, weights.add);
  }

  finish(beside: string): Uint8Array {
    const { model } = this;
    const { hidden, layers, vocabulary, positions } = this.shape;
    const ids = model.input('ids', 'int64', [1, 'seq']);
    const words = model.node('Gather', [model.weight([vocabulary, hidden], 1), ids]);
    const size = model.node('Shape', [ids], { start: int(1), end: int(2) });
    const from = model.indices(0);
    const places = model.weight([1, positions, hidden], 0.1);
    let x = model.add(words, model.node('Slice', [places, from, size, model.indices(1)]));
    const mask = model.node('Slice', [
      model.triangle(positions),
      model.indices(0, 0),
      model.node('Concat', [size, size], { axis: int(0) }),
      model.indices(2, 3),
    ]);
    for (let layer = 0; layer < layers; layer++) x = this.layer(x, mask);
    const logits = model.node('MatMul', [
      this.norm(x),
      model.weight([hidden, vocabulary], 1 / hidden),
    ]);
    model.output('logits', logits, [1, 'seq', vocabulary]);
    return model.finish(beside);
  }

  /** x: [1, seq, hidden] */
  private layer(x: string, mask: string): string {
    const { model } = this;
    const { hidden, mlp, layers } = this.shape;
    // What layers add keeps the size of x together.
    const gain = 1 / (2 * layers);
    const attended = model.linear(this.attention(this.norm(x), mask), hidden, hidden, gain);
    const y = model.add(x, attended);
    const wide = model.gelu(model.linear(this.norm(y), hidden, mlp));
    return model.add(y, model.linear(wide, mlp, hidden, 2 * gain));
  }

  private norm(x: string): string {
    const { model } = this;
    const { hidden } = this.shape;
    const inputs = [x, model.weight([hidden], 0.01, 1), model.weight([hidden], 0.01)];
    return model.node('LayerNormalization', inputs, { axis: int(-1), epsilon: float(1e-5) });
  }

  private attention(x: string, mask: string): string {
    const { model } = this;
    const { hidden, heads } = this.shape;
    const headSize = hidden / heads;
    const split = (order: number[]): string => {
      const shape = model.indices(0, 0, heads, headSize);
      const parts = model.node('Reshape', [model.linear(x, hidden, hidden), shape]);
      return model.node('Transpose', [parts], { perm: ints(...order) });
    };
    const products = model.node('MatMul', [split([0, 2, 1, 3]), split([0, 2, 3, 1])]);
    const scores = model.node('Mul', [products, model.scalar(1 / Math.sqrt(headSize))]);
    const masked = model.node('Where', [mask, scores, model.scalar(-10000)]);
    const probabilities = model.node('Softmax', [masked], { axis: int(-1) });
    const mixed = model.node('MatMul', [probabilities, split([0, 2, 1, 3])]);
    const joined = model.node('Transpose', [mixed], { perm: ints(0, 2, 1, 3) });
    return model.node('Reshape', [joined, model.indices(0, 0, hidden)]);
  }
}
