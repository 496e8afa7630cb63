import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DType } from '@canopy/protocol';
import { float, GraphBuilder, int, ints } from './graph-builder.js';
import { WeightFile } from './weight-file.js';

/** Sizes of a decoder-shaped transformer. */
export interface DecoderSizes {
  hidden: number;
  layers: number;
  heads: number;
  /** Heads of keys and values; each is shared by as many heads of queries. */
  keyValueHeads: number;
  /** Width of the MLP. */
  mlp: number;
  /** Whether the MLP has a gate, `down(silu(gate(x)) * up(x))`, or is `down(gelu(up(x)))`. */
  gated: boolean;
  vocabulary: number;
  /** How matrices are stored; the model computes in f32. */
  weights: 'float32' | 'bfloat16';
}

/** A decoder-shaped transformer. */
export interface DecoderShape extends DecoderSizes {
  /** Longest prompt. */
  positions: number;
  seed: number;
}

/** Numbers of all weights but biases and norms, which are few. */
export function decoderParameters(sizes: DecoderSizes): number {
  const { hidden, layers, mlp, vocabulary, gated } = sizes;
  const attention = 2 * hidden * (hidden + keyValueWidth(sizes));
  return layers * (attention + (gated ? 3 : 2) * hidden * mlp) + 2 * vocabulary * hidden;
}

/** Width of all keys, and of all values. */
function keyValueWidth({ hidden, heads, keyValueHeads }: DecoderSizes): number {
  return (hidden / heads) * keyValueHeads;
}

const weightsName = 'weights.bin';

/**
 * Writes a decoder without cache as `model.onnx` with `weights.bin` beside it, weight after weight:
 * `ids` int64 [1, seq] to `logits` [1, seq, vocabulary]. Embeddings with learned positions, layer norms
 * before attention and MLP, a causal mask, an untied head. Weights are random, from the seed; those
 * stored as bfloat16 are cast where they are used, as the table's rows are after they were looked up.
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
    this.model = new GraphBuilder('decoder', shape.seed, weights.add, weights.adder(shape.weights));
  }

  finish(beside: string): Uint8Array {
    const { model } = this;
    const { hidden, layers, vocabulary, positions } = this.shape;
    const ids = model.input('ids', 'int64', [1, 'seq']);
    const words = this.wide(model.node('Gather', [model.matrix([vocabulary, hidden], 1), ids]));
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
    const head = this.wide(model.matrix([hidden, vocabulary], 1 / hidden));
    const logits = model.node('MatMul', [this.norm(x), head]);
    model.output('logits', logits, [1, 'seq', vocabulary]);
    return model.finish(beside);
  }

  /** Halves as f32. */
  private wide(halves: string): string {
    if (this.shape.weights === 'float32') return halves;
    return this.model.node('Cast', [halves], { to: int(DType.float32) });
  }

  /** [.., inC] to [.., outC] */
  private linear(x: string, inChannels: number, outChannels: number, gain = 1): string {
    const { model } = this;
    const matrix = this.wide(model.matrix([inChannels, outChannels], gain / inChannels));
    return model.add(model.weight([outChannels], 0.01), model.node('MatMul', [x, matrix]));
  }

  /** x: [1, seq, hidden] */
  private layer(x: string, mask: string): string {
    const { model } = this;
    const { hidden, layers } = this.shape;
    // What layers add keeps the size of x together.
    const gain = 1 / (2 * layers);
    const attended = this.linear(this.attention(this.norm(x), mask), hidden, hidden, gain);
    const y = model.add(x, attended);
    return model.add(y, this.mlp(this.norm(y), gain));
  }

  private mlp(x: string, gain: number): string {
    const { model } = this;
    const { hidden, mlp, gated } = this.shape;
    const up = this.linear(x, hidden, mlp);
    if (!gated) return this.linear(model.gelu(up), mlp, hidden, 2 * gain);
    const gate = this.linear(x, hidden, mlp);
    const opened = model.node('Mul', [gate, model.node('Sigmoid', [gate])]);
    return this.linear(model.node('Mul', [opened, up]), mlp, hidden, 2 * gain);
  }

  private norm(x: string): string {
    const { model } = this;
    const { hidden } = this.shape;
    const inputs = [x, model.weight([hidden], 0.01, 1), model.weight([hidden], 0.01)];
    return model.node('LayerNormalization', inputs, { axis: int(-1), epsilon: float(1e-5) });
  }

  private attention(x: string, mask: string): string {
    const { model } = this;
    const { hidden, heads, keyValueHeads } = this.shape;
    const headSize = hidden / heads;
    /** [1, seq, count * headSize] to [1, count, seq, headSize], or as `order` says. */
    const split = (count: number, order: number[]): string => {
      const shape = model.indices(0, 0, count, headSize);
      const parts = model.node('Reshape', [this.linear(x, hidden, count * headSize), shape]);
      return model.node('Transpose', [parts], { perm: ints(...order) });
    };
    /** Each of the heads of keys or values for all heads of queries that share it. */
    const shared = (parts: string): string => {
      const times = heads / keyValueHeads;
      if (times === 1) return parts;
      const indices = Array.from({ length: heads }, (_, head) => Math.floor(head / times));
      return model.node('Gather', [parts, model.indices(...indices)], { axis: int(1) });
    };
    const queries = split(heads, [0, 2, 1, 3]);
    const keys = shared(split(keyValueHeads, [0, 2, 3, 1]));
    const products = model.node('MatMul', [queries, keys]);
    const scores = model.node('Mul', [products, model.scalar(1 / Math.sqrt(headSize))]);
    const masked = model.node('Where', [mask, scores, model.scalar(-10000)]);
    const probabilities = model.node('Softmax', [masked], { axis: int(-1) });
    const values = shared(split(keyValueHeads, [0, 2, 1, 3]));
    const mixed = model.node('MatMul', [probabilities, values]);
    const joined = model.node('Transpose', [mixed], { perm: ints(0, 2, 1, 3) });
    return model.node('Reshape', [joined, model.indices(0, 0, hidden)]);
  }
}
