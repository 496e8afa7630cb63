import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';

/** What a file that is no ONNX model is, and how to get a model from it. */
export interface OtherFile {
  /** With its article: `a PyTorch file`. */
  what: string;
  advice: string;
}

const torch: OtherFile = {
  what: 'a PyTorch file',
  advice: 'load it in Python and export it: torch.onnx.export(model, example_inputs, "model.onnx")',
};
const torchScript: OtherFile = {
  what: 'a TorchScript file',
  advice:
    'load it in Python and export it: torch.onnx.export(torch.jit.load(FILE), example_inputs, "model.onnx")',
};
const keras: OtherFile = {
  what: 'a Keras file',
  advice:
    'load it in Python and export it: keras.models.load_model(FILE).export("model.onnx", format="onnx")',
};
const hdf5: OtherFile = {
  what: 'an HDF5 file (Keras saves models so)',
  advice: keras.advice,
};
const savedModel: OtherFile = {
  what: 'a TensorFlow SavedModel',
  advice: 'convert it: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx',
};
const optimum = 'optimum-cli export onnx --model NAME_OR_FOLDER OUTPUT_FOLDER';

/** Files that begin with fixed bytes, at an offset. */
const magics: readonly (OtherFile & { at: number; bytes: string })[] = [
  {
    at: 0,
    bytes: 'GGUF',
    what: 'a GGUF file (weights for llama.cpp)',
    advice: `export the model it was made from: ${optimum}`,
  },
  ...['ggml', 'ggjt', 'lmgg', 'tjgg'].map((bytes) => ({
    at: 0,
    bytes,
    what: 'a GGML file (weights for llama.cpp)',
    advice: `export the model it was made from: ${optimum}`,
  })),
  {
    at: 4,
    bytes: 'TFL3',
    what: 'a TensorFlow Lite model',
    advice: 'convert it: python -m tf2onnx.convert --tflite FILE --output model.onnx',
  },
  {
    at: 4,
    bytes: 'ORTM',
    what: "a model in onnxruntime's own format (.ort)",
    advice: 'take the .onnx file it was made from',
  },
  { at: 0, bytes: '\x89HDF\r\n\x1a\n', ...hdf5 },
  {
    at: 0,
    bytes: 'version https://git-lfs',
    what: 'a pointer of Git LFS in place of the file',
    advice: 'fetch the file itself: git lfs pull, in the clone that it lies in',
  },
  { at: 0, bytes: '\x93NUMPY', what: 'a NumPy array', advice: 'give the model, not its inputs' },
  { at: 0, bytes: '\x1f\x8b', what: 'a gzip archive', advice: 'unpack it' },
  { at: 0, bytes: 'BZh', what: 'a bzip2 archive', advice: 'unpack it' },
  { at: 0, bytes: '7z\xbc\xaf\x27\x1c', what: 'a 7-Zip archive', advice: 'unpack it' },
  { at: 0, bytes: '\x28\xb5\x2f\xfd', what: 'a Zstandard archive', advice: 'unpack it' },
  { at: 257, bytes: 'ustar', what: 'a tar archive', advice: 'unpack it' },
  // The number with which torch.save begins outside of a zip archive, as a pickle.
  { at: 0, bytes: '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9', ...torch },
];

/** Files known by their name's ending alone. */
const endings: Readonly<Record<string, OtherFile>> = {
  '.pt': torch,
  '.pth': torch,
  '.ckpt': torch,
  '.tflite': magics.find(({ bytes }) => bytes === 'TFL3')!,
  '.gguf': magics.find(({ bytes }) => bytes === 'GGUF')!,
  '.ort': magics.find(({ bytes }) => bytes === 'ORTM')!,
  '.h5': hdf5,
  '.keras': keras,
  '.pb': {
    what: 'a TensorFlow graph',
    advice:
      'convert it: python -m tf2onnx.convert --graphdef FILE --inputs NAMES --outputs NAMES --output model.onnx',
  },
  '.mlmodel': { what: 'a Core ML model', advice: 'export the model it was made from' },
  '.pdmodel': {
    what: 'a Paddle model',
    advice: 'convert it: paddle2onnx --model_dir FOLDER --save_file model.onnx',
  },
  '.engine': { what: 'a TensorRT engine', advice: 'take the .onnx file it was made from' },
  '.pkl': {
    what: 'a Python pickle',
    advice:
      'load it in Python and export it: with skl2onnx for scikit-learn, else torch.onnx.export',
  },
  '.joblib': {
    what: 'a scikit-learn model',
    advice: 'convert it: skl2onnx.to_onnx(model, example_inputs)',
  },
  '.safetensors': {
    what: 'a safetensors file (weights without a graph)',
    advice: `export the model that the weights are of: ${optimum}`,
  },
};

const headBytes = 4096;
/** Where the list of an archive's files is looked for. */
const tailBytes = 1 << 20;

/** Bytes as characters of the same numbers. */
function read(file: number, start: number, length: number): string {
  const bytes = Buffer.alloc(length);
  return bytes.toString('latin1', 0, readSync(file, bytes, 0, length, start));
}

function zipArchive(tail: string): OtherFile {
  if (tail.includes('constants.pkl') && tail.includes('/code/')) return torchScript;
  if (tail.includes('data.pkl')) return torch;
  if (tail.includes('model.weights.h5')) return keras;
  if (tail.includes('.npy')) {
    return { what: 'an archive of NumPy arrays', advice: 'give the model, not its inputs' };
  }
  return { what: 'a zip archive', advice: 'unpack it' };
}

/** Eight bytes of length, then JSON that tells of tensors. */
function isSafetensors(head: string): boolean {
  return /^[^]{6}\0\0\{\s*"/.test(head) && head.includes('"');
}

function textFile(head: string): OtherFile | undefined {
  if (/^\s*<(!doctype html|html|head)/i.test(head)) {
    return {
      what: 'a web page',
      advice: 'the download gave an error or a login in place of the model: download it again',
    };
  }
  if (/^\s*<\?xml/.test(head)) {
    return {
      what: /<net\b/.test(head) ? 'an OpenVINO model' : 'an XML file',
      advice: 'take the .onnx file it was made from',
    };
  }
  // eslint-disable-next-line no-control-regex -- what text never has
  if (head === '' || /[\x00-\x08\x0e-\x1f]/.test(head)) return undefined;
  return {
    what: /^\s*[{[]/.test(head) ? 'a JSON file' : 'a text file',
    advice: 'give the .onnx file itself',
  };
}

function folder(path: string): OtherFile {
  if (existsSync(join(path, 'saved_model.pb'))) return savedModel;
  const models = ['', 'onnx'].flatMap((inner) => {
    const place = join(path, inner);
    if (!existsSync(place) || !statSync(place).isDirectory()) return [];
    return readdirSync(place)
      .filter((name) => name.endsWith('.onnx'))
      .map((name) => join(inner, name));
  });
  if (models.length > 0) {
    return { what: 'a folder', advice: `give a file of it: ${models.sort().join(', ')}` };
  }
  if (existsSync(join(path, 'config.json'))) {
    return { what: 'a folder of a model without an ONNX file', advice: `export it: ${optimum}` };
  }
  return { what: 'a folder', advice: 'give the .onnx file' };
}

/**
 * What a file or folder is that could not be read as an ONNX model: by its content first, then by its
 * name's ending. Undefined where neither says anything.
 */
export function identifyFile(path: string): OtherFile | undefined {
  if (statSync(path).isDirectory()) return folder(path);
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size === 0) return { what: 'an empty file', advice: 'download or export it again' };
    const head = read(file, 0, headBytes);
    const known = magics.find(({ at, bytes }) => head.startsWith(bytes, at));
    if (known) return known;
    if (head.startsWith('PK\x03\x04')) {
      return zipArchive(read(file, Math.max(0, size - tailBytes), tailBytes));
    }
    if (isSafetensors(head)) return endings['.safetensors'];
    const name = basename(path).toLowerCase();
    return textFile(head) ?? endings[name.slice(name.lastIndexOf('.'))];
  } finally {
    closeSync(file);
  }
}
