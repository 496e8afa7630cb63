import { Contents } from '../contents.js';
import type { Program, Weight } from '../program.js';

/** All that makes the bytes of a weight in a shard, and its shape there. */
function identity(weight: Weight, contents: Contents): string {
  const floats = (values: Float32Array | undefined): string =>
    values === undefined
      ? ''
      : Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
  if (weight.kind === 'bias') return `bias ${weight.group} ${floats(weight.values)}`;
  if ('matrix' in weight) {
    const block = weight.kind === 'int4' ? weight.block : '';
    return `${weight.kind} ${block} ${identity(weight.matrix, contents)}`;
  }
  const { kind, constant } = weight;
  const stored = `${kind} ${contents.idOf(constant)}`;
  switch (kind) {
    case 'plain':
      return `${stored} [${constant.dims.join()}]`;
    case 'matrix':
      return `${stored} ${weight.k} ${weight.n} ${weight.transposed} ${floats(weight.scale)}`;
    case 'filter':
      return `${stored} [${constant.dims.join()}] ${weight.group} ${floats(weight.scale)}`;
    case 'depthwise':
      return `${stored} [${constant.dims.join()}] ${floats(weight.scale)}`;
  }
}

/**
 * Weights with the same bytes in the same packing become one value, so that a stage holds them once:
 * layers that share their weights, embeddings used twice, biases of zeros.
 */
export function shareWeights(program: Program): boolean {
  const contents = new Contents();
  const first = new Map<string, string>();
  const renamed = new Map<string, string>();
  for (const [name, { weight }] of program.values) {
    if (!weight || program.outputs.includes(name)) continue;
    const key = identity(weight, contents);
    const known = first.get(key);
    if (known === undefined) first.set(key, name);
    else renamed.set(name, known);
  }
  for (const name of renamed.keys()) program.values.delete(name);
  for (const node of program.nodes) {
    node.inputs = node.inputs.map((input) => renamed.get(input) ?? input);
  }
  return renamed.size > 0;
}
