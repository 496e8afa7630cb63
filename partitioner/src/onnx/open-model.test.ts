import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { floatConstant } from '../graph/constant.js';
import { makeNode } from '../graph/graph.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import { openModel } from './open-model.js';
import { writeOnnx } from './write-model.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'canopy-open-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

function save(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return path;
}

/** A zip archive's beginning, and the names of its files. */
const zip = (...names: string[]) => `PK\x03\x04${'\0'.repeat(30)}${names.join('PK\x01\x02')}`;

it.each([
  ['a.pt', zip('archive/data.pkl', 'archive/version'), /a PyTorch file.*torch\.onnx\.export/],
  ['a.bin', zip('archive/data.pkl', 'archive/version'), /a PyTorch file/],
  ['legacy.pth', '\x80\x02\x8a\x0alü\x9cFù j¨P\x19.', /a PyTorch file/],
  ['s.pt', zip('s/data.pkl', 's/constants.pkl', 's/code/a.py'), /a TorchScript file.*jit\.load/],
  ['a.keras', zip('config.json', 'model.weights.h5'), /a Keras file.*format="onnx"/],
  ['a.npz', zip('x.npy'), /an archive of NumPy arrays/],
  ['a.zip', zip('model.onnx'), /a zip archive.*unpack/],
  ['a.gguf', 'GGUF\x03\0\0\0', /a GGUF file.*optimum-cli/],
  ['renamed.onnx', 'GGUF\x03\0\0\0', /a GGUF file/],
  ['a.tflite', '\x1c\0\0\0TFL3', /a TensorFlow Lite model.*--tflite/],
  ['a.ort', '\x1c\0\0\0ORTM', /onnxruntime's own format/],
  ['a.h5', '\x89HDF\r\n\x1a\n', /an HDF5 file/],
  ['a.safetensors', '\x40\0\0\0\0\0\0\0{"__metadata__":{}}', /a safetensors file/],
  [
    'lfs.onnx',
    'version https://git-lfs.github.com/spec/v1\noid',
    /pointer of Git LFS.*git lfs pull/,
  ],
  ['page.onnx', '<!DOCTYPE html><html>', /a web page.*download it again/],
  ['text.onnx', 'this is not a model at all', /a text file/],
  ['a.json', '{"error": "not found"}', /a JSON file/],
  ['a.xml', '<?xml version="1.0"?><net name="m">', /an OpenVINO model/],
  ['a.npy', '\x93NUMPY\x01\0', /a NumPy array/],
  ['a.onnx.gz', '\x1f\x8b\x08', /a gzip archive/],
  ['frozen.pb', '\x0a\x02\x0a\0', /a TensorFlow graph.*--graphdef/],
  ['empty.onnx', '', /an empty file/],
  ['noise.onnx', '\x07\x01\x02\x03', /is not an ONNX model: give the \.onnx file/],
])('%s is called what it is', (name, content, expected) => {
  expect(() => openModel(save(name, content))).toThrow(expected);
});

it('a folder is called what it is', () => {
  const saved = dirname(save('tf/saved_model.pb', ''));
  expect(() => openModel(saved)).toThrow(/a TensorFlow SavedModel.*--saved-model/);
  save('hf/config.json', '{}');
  expect(() => openModel(join(root, 'hf'))).toThrow(
    /without an ONNX file: optimum-cli|optimum-cli/,
  );
  save('hf/onnx/model.onnx', '');
  expect(() => openModel(join(root, 'hf'))).toThrow(
    `give a file of it: ${join('onnx', 'model.onnx')}`,
  );
  mkdirSync(join(root, 'nothing'));
  expect(() => openModel(join(root, 'nothing'))).toThrow(/is a folder, not an ONNX model/);
  expect(() => openModel(join(root, 'missing.onnx'))).toThrow(/there is no file .*missing\.onnx/);
});

it('a model cut short anywhere is told apart from other files', () => {
  const whole = writeOnnx(
    makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 40] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 50] }],
      nodes: [makeNode('MatMul', 'product', ['x', 'w'], ['y'])],
      constants: { w: floatConstant([40, 50], numbers(2000)) },
    }),
  );
  for (let length = 2; length < whole.length - 20; length += 97) {
    const path = save('cut.onnx', whole.subarray(0, length));
    expect(() => openModel(path)).toThrow(/is cut short or damaged.*download or export it again/);
  }
});
