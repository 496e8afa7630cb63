import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PartitionError } from './error.js';
import { floatConstant, memoryConstant } from './graph/constant.js';
import { makeNode, type Graph, type NamedValue } from './graph/graph.js';
import { loadModel } from './load.js';
import { modelHash } from './onnx/data-files.js';
import { readOnnx } from './onnx/read-model.js';
import { WireWriter } from './onnx/wire.js';
import { writeOnnx } from './onnx/write-model.js';
import { makeGraph, numbers } from './testing/run-program.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'canopy-load-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

function save(name: string, bytes: Uint8Array): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** What loading a model throws. */
async function refusal(graph: Graph | string, dims = {}): Promise<PartitionError> {
  const path = typeof graph === 'string' ? graph : save('refused.onnx', writeOnnx(graph));
  try {
    (await loadModel(path, dims)).close();
  } catch (error) {
    if (error instanceof PartitionError) return error;
    throw error;
  }
  throw new Error('the model was taken');
}

/** Convolution, batch normalisation and activation, which the clean-up makes one node of. */
function convolution(): Graph {
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 3, 8, 8] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('Conv', 'conv', ['x', 'filter'], ['a']),
      makeNode('BatchNormalization', 'norm', ['a', 'one', 'zero', 'zero', 'one'], ['b']),
      makeNode('Relu', 'relu', ['b'], ['y']),
    ],
    constants: {
      filter: floatConstant([64, 3, 3, 3], numbers(1728)),
      one: floatConstant([64], new Float32Array(64).fill(1)),
      zero: floatConstant([64], new Float32Array(64)),
    },
  });
}

/** The same with its filter in a file beside it; `factor` multiplies that. */
function withExternalFilter(folder: string, factor: number): string {
  const graph = convolution();
  const filter = numbers(1728).map((value) => value * factor);
  save(join(folder, 'deep', 'weights.bin'), floatConstant([1728], filter).read(0, 6912));
  const bytes = writeOnnx(graph, [], (name) =>
    name === 'filter' ? { location: 'deep/weights.bin', offset: 0 } : undefined,
  );
  return save(join(folder, 'model.onnx'), bytes);
}

describe('external data', () => {
  it('do not keep a model from being cleaned up', async () => {
    const inline = await loadModel(save('inline.onnx', writeOnnx(convolution())), {});
    const external = await loadModel(withExternalFilter('external', 1), {});
    expect(external.notes).toEqual([]);
    expect(external.graph.nodes.map(({ op }) => op)).toEqual(
      inline.graph.nodes.map(({ op }) => op),
    );
    expect(external.graph.nodes).toHaveLength(1);
    inline.close();
    external.close();
  });

  it('are part of the hash of a model', async () => {
    const hash = async (path: string): Promise<string> => modelHash(path, readOnnx(path));
    const [one, same, other] = [
      withExternalFilter('one', 1),
      withExternalFilter('same', 1),
      withExternalFilter('other', 2),
    ];
    expect(await hash(same)).toBe(await hash(one));
    expect(await hash(other)).not.toBe(await hash(one));
  });
});

describe('what cannot be run', () => {
  it('is told in one go, operators and forms, grouped and counted', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3, 20] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        ...[1, 2, 3, 4, 5].map((index) =>
          makeNode(
            'Bernoulli',
            `log${index}`,
            [index === 1 ? 'x' : `s${index - 1}`],
            [`s${index}`],
          ),
        ),
        makeNode('BatchNormalization', 'norm', ['s5', 'one', 'one', 'one', 'one'], ['y'], {
          training_mode: { kind: 'int', value: 1 },
        }),
      ],
      constants: { one: floatConstant([3], [1, 1, 1]) },
    });
    const { code, problems, message, dims } = await refusal(graph);
    expect(code).toBe('unsupported');
    expect(problems!.map(({ op, node }) => `${op} ${node}`)).toEqual([
      ...[1, 2, 3, 4, 5].map((index) => `Bernoulli log${index}`),
      'BatchNormalization norm',
    ]);
    expect(message).toMatch(
      /^6 parts of the model[^]*Bernoulli ×5 \(first "log1", "log2", "log3"\): [^]*BatchNormalization "norm": is that of training/,
    );
    expect(message.match(/Bernoulli/g)).toHaveLength(1);
    expect(dims).toEqual({ N: 1 });
  });

  it('is named as in the file, not as fused by onnxruntime', async () => {
    const graph = makeGraph({
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['batch', 3, 8, 8] },
        { name: 'filter', dtype: 'float32', dims: [64, 3, 'height', 'width'] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('Conv', 'conv', ['x', 'filter'], ['a']),
        makeNode('Relu', 'relu', ['a'], ['b']),
        makeNode('Bernoulli', 'log', ['b'], ['y']),
      ],
    });
    const { problems } = await refusal(graph);
    expect(problems!.map(({ op, node }) => `${op} ${node}`).sort()).toEqual([
      'Bernoulli log',
      'Conv conv',
    ]);
  });

  it('may be weights and inputs of foreign types, told with the operators', async () => {
    const tensor = (name: string) => new WireWriter().varint(1, 1).varint(2, 17).text(8, name);
    const node = new WireWriter()
      .text(1, 'a')
      .text(1, 'b')
      .text(2, 'y')
      .text(3, 'n')
      .text(4, 'Bernoulli');
    const graph = new WireWriter().message(1, node).text(2, 'g');
    for (const name of ['a', 'b', 'c', 'd']) graph.message(5, tensor(name));
    const model = new WireWriter().varint(1, 8).message(7, graph);
    model.message(8, new WireWriter().text(1, '').varint(2, 18));
    const { message } = await refusal(save('types.onnx', model.finish()));
    expect(message).toMatch(
      /^5 parts[^]*weight ×4 \(first "a", "b", "c"\): has element type float8e4m3fn[^]*Bernoulli "n"/,
    );
  });

  it('may be names that no message could give', async () => {
    const name = 'n'.repeat(70_000);
    const graph = makeGraph({
      inputs: [{ name, dtype: 'float32', dims: ['N', 3] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('Neg', 'negate', [name], ['y'])],
    });
    const { message } = await refusal(graph);
    expect(message).toMatch(/input "n{40}…": has a name of 70000 bytes, at most 65535/);
  });

  it('is told with forms that show without sizes where onnxruntime cannot run it either', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3, 8] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('my.domain.Magic', 'magic', ['x'], ['a']),
        makeNode('BatchNormalization', 'norm', ['a', 'one', 'one', 'one', 'one'], ['b'], {
          training_mode: { kind: 'int', value: 1 },
        }),
        makeNode('Relu', 'relu', ['b'], ['y']),
      ],
      constants: { one: floatConstant([3], [1, 1, 1]) },
    });
    graph.opsets.set('my.domain', 1);
    const { problems, message } = await refusal(graph);
    expect(problems!.map(({ node }) => node)).toEqual(['magic', 'norm']);
    expect(message).toMatch(/\nonnxruntime refuses it too: .*Magic/);
  });
});

describe("onnxruntime's own reason is told", () => {
  const inputs: NamedValue[] = [{ name: 'x', dtype: 'float32', dims: ['N', 'samples'] }];
  const outputs: NamedValue[] = [{ name: 'y', dtype: 'float32', dims: undefined }];
  const constants = { w: floatConstant([4, 2], numbers(8)) };

  it.each([
    ['a cycle', ['x', 'z'], /^onnxruntime refuses the model: .*not acyclic$/],
    [
      'a value from nowhere',
      ['x', 'nowhere'],
      /refuses the model: .*'nowhere' is not a graph input/,
    ],
  ])('of %s', async (_, read, expected) => {
    const nodes = [makeNode('Add', 'add', read, ['y']), makeNode('Relu', 'relu', ['y'], ['z'])];
    const error = await refusal(makeGraph({ inputs, outputs, nodes }));
    expect(error).toMatchObject({ code: 'bad-model', dims: undefined });
    expect(error.message).toMatch(expected);
    expect(error.message).not.toMatch(/onnxruntime_src|canopy-plan/);
  });

  it('of sizes that do not go together, with the sizes that were tried', async () => {
    const nodes = [makeNode('MatMul', 'product', ['x', 'w'], ['y'])];
    const error = await refusal(makeGraph({ inputs, outputs, nodes, constants }));
    expect(error.code).toBe('cannot-run');
    expect(error.message).toMatch(/MatMul "product" needs 128 \(samples\) and 4 to be the same/);
    expect(error.dims).toEqual({ N: 1, samples: 128 });
    const path = save('samples.onnx', writeOnnx(makeGraph({ inputs, outputs, nodes, constants })));
    (await loadModel(path, { samples: 4 })).close();
  });
});

it('weights stored as bytes and a scale are multiplied out, as the file says', async () => {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 32] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('DequantizeLinear', 'dequantize', ['q', 'scale', 'zero'], ['w']),
      makeNode('MatMul', 'product', ['x', 'w'], ['y']),
    ],
    constants: {
      q: memoryConstant(
        'int8',
        [32, 16],
        Uint8Array.from(numbers(512), (value) => value * 100),
      ),
      scale: floatConstant([], [0.25]),
      zero: memoryConstant('int8', [], Uint8Array.of(0)),
    },
  });
  const model = await loadModel(save('bytes.onnx', writeOnnx(graph)), {});
  expect(model.program.nodes.map(({ op }) => op)).toEqual(['Linear']);
  model.close();
});

it('functions of the model itself are inlined', async () => {
  const own = new WireWriter().text(1, 'Twice').text(4, 'a').text(5, 'b');
  own.message(
    7,
    new WireWriter().text(1, 'a').text(1, 'a').text(2, 'b').text(3, 'sum').text(4, 'Add'),
  );
  own.message(9, new WireWriter().text(1, '').varint(2, 17)).text(10, 'own');
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['N', 3] }],
    nodes: [makeNode('own.Twice', 'twice', ['x'], ['y'])],
  });
  graph.opsets.set('own', 1);
  const functions = new WireWriter().message(25, own).finish();
  const path = save('functions.onnx', Buffer.concat([writeOnnx(graph), functions]));
  const model = await loadModel(path, {});
  expect(model.program.nodes.map(({ op }) => op)).toEqual(['Binary']);
  model.close();
});
