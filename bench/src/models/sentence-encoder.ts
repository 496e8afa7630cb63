import { GraphBuilder, int, ints } from './graph-builder.js';

export const tokens = 128;
export const vocabulary = 30522;
const hidden = 384;
const heads = 12;
const headSize = hidden / heads;
const intermediate = 1536;
const layers = 6;

/**
 * A BERT encoder of the shape of all-MiniLM-L6-v2 with mean pooling: `input_ids`,
 * `attention_mask`, `token_type_ids` [batch, 128] to `sentence_embedding` [batch, 384] of length 1.
 * 22.6 M parameters.
 */
export function sentenceEncoder(): Uint8Array {
  const model = new GraphBuilder('sentence-encoder', 3);
  const ids = model.input('input_ids', 'int64', ['batch', tokens]);
  const mask = model.input('attention_mask', 'int64', ['batch', tokens]);
  const types = model.input('token_type_ids', 'int64', ['batch', tokens]);

  const words = model.node('Gather', [model.weight([vocabulary, hidden], 1), ids]);
  const kinds = model.node('Gather', [model.weight([2, hidden], 0.1), types]);
  const positions = model.weight([1, tokens, hidden], 0.1);
  let x = model.layerNorm(model.add(model.add(words, kinds), positions), hidden);

  const maskNumbers = model.node('Cast', [mask], { to: int(1) });
  const spread = model.node('Unsqueeze', [maskNumbers, model.indices(1, 2)]);
  const bias = model.node('Mul', [
    model.node('Sub', [model.scalar(1), spread]),
    model.scalar(-10000),
  ]);
  for (let layer = 0; layer < layers; layer++) x = encoderLayer(model, x, bias);

  const weights = model.node('Unsqueeze', [maskNumbers, model.indices(2)]);
  const sum = reduce(model, 'ReduceSum', model.node('Mul', [x, weights]));
  const mean = model.node('Div', [sum, reduce(model, 'ReduceSum', weights)]);
  const length = model.node('ReduceL2', [mean], { axes: ints(1), keepdims: int(1) });
  model.output('sentence_embedding', model.node('Div', [mean, length]), ['batch', hidden]);
  return model.finish();
}

/** Over dimension 1, which is dropped. */
function reduce(model: GraphBuilder, op: string, x: string): string {
  return model.node(op, [x, model.indices(1)], { keepdims: int(0) });
}

/** x: [batch, tokens, hidden]; bias: [batch, 1, 1, tokens] */
function encoderLayer(model: GraphBuilder, x: string, bias: string): string {
  const attended = model.linear(attention(model, x, bias), hidden, hidden);
  const y = model.layerNorm(model.add(attended, x), hidden);
  const wide = model.gelu(model.linear(y, hidden, intermediate));
  return model.layerNorm(model.add(model.linear(wide, intermediate, hidden, 2), y), hidden);
}

function attention(model: GraphBuilder, x: string, bias: string): string {
  const shape = model.indices(0, 0, heads, headSize);
  // [batch, tokens, hidden] to [batch, heads, ...] in the order given
  const split = (order: number[]): string => {
    const parts = model.node('Reshape', [model.linear(x, hidden, hidden), shape]);
    return model.node('Transpose', [parts], { perm: ints(...order) });
  };
  const query = split([0, 2, 1, 3]);
  const key = split([0, 2, 3, 1]);
  const value = split([0, 2, 1, 3]);
  const scores = model.node('Div', [
    model.node('MatMul', [query, key]),
    model.scalar(Math.sqrt(headSize)),
  ]);
  const probabilities = model.node('Softmax', [model.add(scores, bias)], { axis: int(-1) });
  const mixed = model.node('Transpose', [model.node('MatMul', [probabilities, value])], {
    perm: ints(0, 2, 1, 3),
  });
  return model.node('Reshape', [mixed, model.indices(0, 0, hidden)]);
}
