import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allFloats, allInts, fileConstant, floatConstant, intConstant } from '../graph/constant.js';
import { makeNode } from '../graph/graph.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import { readOnnx } from './read-model.js';
import { runOnce, sampleTensor } from './runtime.js';
import { saveOnnx } from './save-model.js';
import { makeTemporary, removeTemporary } from './temporary.js';
import { WireWriter } from './wire.js';
import { writeOnnx } from './write-model.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canopy-onnx-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A model of one weight, whose TensorProto is given. */
function modelWith(tensor: WireWriter): Uint8Array {
  const graph = new WireWriter().text(2, 'g').message(5, tensor);
  return new WireWriter()
    .varint(1, 8)
    .message(7, graph)
    .message(8, new WireWriter().text(1, '').varint(2, 17))
    .finish();
}

const graph = makeGraph({
  inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 3, undefined] }],
  outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 4] }],
  nodes: [
    makeNode('Custom', 'first', ['x', '', 'w'], ['y'], {
      whole: { kind: 'int', value: -7 },
      real: { kind: 'float', value: 0.25 },
      text: { kind: 'string', value: 'SAME_UPPER' },
      list: { kind: 'ints', value: [1, -2, 2 ** 40] },
      reals: { kind: 'floats', value: [0.5, -1] },
      tensor: { kind: 'tensor', value: intConstant([2], [3, -4]) },
    }),
  ],
  constants: { w: floatConstant([40, 50], numbers(2000)), small: intConstant([], [9]) },
  opset: 13,
});

describe('ONNX files', () => {
  it('come back as they were written', () => {
    const read = readOnnx(save('round.onnx', writeOnnx(graph)));
    expect(read.opsets).toEqual(graph.opsets);
    expect(read.inputs).toEqual(graph.inputs);
    expect(read.outputs).toEqual(graph.outputs);
    const [node] = read.nodes;
    expect({ ...node, attributes: undefined }).toEqual({
      ...graph.nodes[0],
      attributes: undefined,
    });
    for (const name of ['whole', 'real', 'text', 'list', 'reals']) {
      expect(node!.attributes.get(name)).toEqual(graph.nodes[0]!.attributes.get(name));
    }
    const tensor = node!.attributes.get('tensor');
    expect(tensor?.kind === 'tensor' ? allInts(tensor.value) : []).toEqual([3, -4]);
    expect(Array.from(allFloats(read.constants.get('w')!))).toEqual(
      Array.from(Float32Array.from(numbers(2000))),
    );
    expect(allInts(read.constants.get('small')!)).toEqual([9]);
  });

  it('keep large weights in the file, also beside the model', () => {
    const weight = graph.constants.get('w')!;
    const offset = 128;
    const path = save(
      'external.onnx',
      writeOnnx(graph, [], (name) => (name === 'w' ? { location: 'w.bin', offset } : undefined)),
    );
    save('w.bin', Buffer.concat([new Uint8Array(offset), weight.read(0, 8000)]));
    const read = readOnnx(path).constants.get('w')!;
    expect(read.read(400, 40)).toEqual(weight.read(400, 40));
    rmSync(join(folder, 'w.bin'));
    expect(() => readOnnx(path)).toThrow(/weight "w" lies in w\.bin, which is not beside/);
  });

  it('are saved with weights left in files elsewhere, and run', async () => {
    const [k, n] = [300, 70];
    save('elsewhere.bin', floatConstant([k, n], numbers(k * n)).read(0, k * n * 4));
    const product = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: [1, k] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('MatMul', 'product', ['x', 'w'], ['y'])],
      constants: { w: fileConstant('float32', [k, n], join(folder, 'elsewhere.bin'), 0) },
    });
    const temporary = makeTemporary();
    const path = saveOnnx(product, temporary, 'product');
    expect(statSync(path).size).toBeLessThan(1000);
    const result = await runOnce(path, [sampleTensor('x', 'float32', [1, k])]);
    const inline = await runOnce(writeOnnx(product), [sampleTensor('x', 'float32', [1, k])]);
    expect(result.get('y')).toEqual(inline.get('y'));
    removeTemporary(temporary);
  });

  it('refuse external data outside the folder of the model', () => {
    const bytes = writeOnnx(graph, [], () => ({ location: '../secret', offset: 0 }));
    expect(() => readOnnx(save('outside.onnx', bytes))).toThrow(/is not a file beside the model/);
  });

  it('hold numbers in typed fields too', () => {
    const tensor = (code: number): WireWriter =>
      new WireWriter().varint(1, 2).varint(2, code).text(8, 'w');
    const read = (proto: WireWriter) =>
      readOnnx(save('typed.onnx', modelWith(proto))).constants.get('w')!;
    expect(Array.from(allFloats(read(tensor(1).float(4, 1.5).float(4, -2))))).toEqual([1.5, -2]);
    expect(allInts(read(tensor(7).varint(7, -5).varint(7, 6)))).toEqual([-5, 6]);
    expect(allInts(read(tensor(6).varint(5, -5).varint(5, 6)))).toEqual([-5, 6]);
    expect(Array.from(read(tensor(9).varint(5, 1).varint(5, 0)).read(0, 2))).toEqual([1, 0]);
    const packed = new Uint8Array(Float32Array.of(3, 4).buffer);
    expect(Array.from(allFloats(read(tensor(1).bytes(4, packed))))).toEqual([3, 4]);
    expect(() => read(tensor(1).float(4, 1))).toThrow(/"w" float32\[2\] takes 8 bytes/);
    expect(() => read(tensor(16))).toThrow(/bfloat16, which is not supported/);
  });

  it('that are none give a clear error', () => {
    expect(() => readOnnx(join(folder, 'missing.onnx'))).toThrow(/cannot open/);
    expect(() => readOnnx(save('empty.onnx', new Uint8Array()))).toThrow(/holds no graph/);
    expect(() => readOnnx(save('text.onnx', Buffer.from('this is not a model at all')))).toThrow(
      /not an ONNX file|holds no graph|ends at/,
    );
    const whole = writeOnnx(graph);
    for (const length of [whole.length - 1, whole.length >> 1, 20]) {
      expect(() => readOnnx(save('cut.onnx', whole.subarray(0, length)))).toThrow();
    }
  });
});
