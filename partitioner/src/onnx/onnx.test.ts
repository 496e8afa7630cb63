import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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
    expect(() => readOnnx(path)).toThrow(
      /weight "w" lies in "w\.bin", which is not there: it is looked for at .*w\.bin/,
    );
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

  it.each(['../secret', 'a/../../secret', '/etc/hosts', 'C:\\data', '..\\secret', ''])(
    'refuse external data outside the folder of the model: %s',
    (location) => {
      const bytes = writeOnnx(graph, [], () => ({ location, offset: 0 }));
      expect(() => readOnnx(save('outside.onnx', bytes))).toThrow(
        /weight "w" names ".*" as the file of its data: only files in the model's own folder/,
      );
    },
  );

  it('take names that only look as if they led out', () => {
    const weight = graph.constants.get('w')!;
    const external = { location: '..w..bin', offset: 0 };
    const bytes = writeOnnx(graph, [], (name) => (name === 'w' ? external : undefined));
    save('..w..bin', weight.read(0, 8000));
    expect(readOnnx(save('dots.onnx', bytes)).constants.get('w')!.read(0, 40)).toEqual(
      weight.read(0, 40),
    );
  });

  it('refuse external data that are not wholly there', () => {
    save('short.bin', new Uint8Array(8000));
    const read = (entries: Record<string, string>) => {
      const proto = new WireWriter().varint(1, 2000).varint(2, 1).text(8, 'w').varint(14, 1);
      for (const [key, value] of Object.entries({ location: 'short.bin', ...entries })) {
        proto.message(13, new WireWriter().text(1, key).text(2, value));
      }
      return readOnnx(save('short.onnx', modelWith(proto)));
    };
    expect(read({}).constants.get('w')!.read(7996, 4)).toEqual(new Uint8Array(4));
    expect(() => read({ offset: '4' })).toThrow(
      /"w" takes bytes 4 to 8004 of .*short\.bin, which is only 8000 long/,
    );
    expect(() => read({ length: '7000' })).toThrow(/"w" takes 8000 bytes.* gives it 7000/);
    for (const offset of ['-4', '1.5', 'NaN', '1e3', '']) {
      expect(() => read({ offset })).toThrow(`offset "${offset}" of its external data is not`);
    }
  });

  it('of one name in different folders stay apart when saved', () => {
    const weight = (place: string, value: number) => {
      mkdirSync(join(folder, place));
      const path = join(folder, place, 'weights.bin');
      writeFileSync(path, new Uint8Array(new Float32Array(20_000).fill(value).buffer));
      return fileConstant('float32', [20_000], path, 0);
    };
    const difference = makeGraph({
      inputs: [],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('Sub', 's', ['p', 'q'], ['y'])],
      constants: { p: weight('a', 1), q: weight('b', 2) },
    });
    const temporary = makeTemporary();
    const { constants } = readOnnx(saveOnnx(difference, temporary, 'difference'));
    expect(['p', 'q'].map((name) => allFloats(constants.get(name)!)[0])).toEqual([1, 2]);
    removeTemporary(temporary);
  });

  it('may be symbolic links, as in caches of downloads', async () => {
    mkdirSync(join(folder, 'blobs'));
    mkdirSync(join(folder, 'snapshot'));
    writeFileSync(
      join(folder, 'blobs', 'c0ffee'),
      floatConstant([20_000], numbers(20_000)).read(0, 80_000),
    );
    const link = join(folder, 'snapshot', 'weights.bin');
    symlinkSync('../blobs/c0ffee', link);
    const sum = makeGraph({
      inputs: [],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('Neg', 'n', ['w'], ['y'])],
      constants: { w: fileConstant('float32', [20_000], link, 0) },
    });
    const temporary = makeTemporary();
    const result = await runOnce(saveOnnx(sum, temporary, 'linked'), []);
    const values = new Float32Array(result.get('y')!.data.slice().buffer);
    expect(values[19_999]).toBe(Math.fround(-numbers(20_000)[19_999]!));
    removeTemporary(temporary);
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
    expect(() => read(tensor(17))).toThrow(/float8e4m3fn, which is not supported/);
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
