/** `npm run large-model -w bench`: writes a decoder-shaped transformer of any size with random weights. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { decoderShape, decoderShapes } from './models/decoder-shapes.js';
import { decoderParameters, writeDecoder, type DecoderShape } from './models/decoder.js';

const usage = `npm run large-model -w bench -- FOLDER [options]
Writes model.onnx and weights.bin to FOLDER: a decoder without cache, int64 ids [1, seq] to logits.
  --shape NAME         ${Object.keys(decoderShapes).join(', ')} (default: 5gib); what follows changes it
  --hidden N           width
  --layers N
  --heads N            heads of attention
  --key-value-heads N  heads of keys and values
  --mlp N              width of the MLP
  --vocabulary N
  --positions N        longest prompt (default: 512)
  --seed N             of the random weights (default: 1)
Shapes of 1 B parameters and more store matrices as bfloat16, in blocks taken from a stock of random numbers.`;

const text = { type: 'string' } as const;
const options = {
  ...{ shape: text, hidden: text, layers: text, heads: text, mlp: text, vocabulary: text },
  ...{ 'key-value-heads': text, positions: text, seed: text },
} as const;

function wholeNumber(name: string, given: string, least: number): number {
  const value = Number(given);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: "${given}" is not a whole number from ${least} on`);
}

/** The shape that arguments name. Throws where one is no whole number, or heads do not divide the width. */
function shapeOf(values: Partial<Record<keyof typeof options, string>>): DecoderShape {
  const { shape: name = '5gib', seed = '1', ...sizes } = values;
  const shape: DecoderShape = {
    ...decoderShape(name),
    positions: 512,
    seed: wholeNumber('seed', seed, 0),
  };
  for (const [option, given] of Object.entries(sizes)) {
    const size = option === 'key-value-heads' ? 'keyValueHeads' : option;
    Object.assign(shape, { [size]: wholeNumber(option, given, 1) });
  }
  const { hidden, heads, keyValueHeads } = shape;
  if (hidden % heads !== 0) {
    throw new Error(`--heads: ${heads} heads do not divide a width of ${hidden}`);
  }
  if (heads % keyValueHeads !== 0) {
    throw new Error(`--key-value-heads: ${keyValueHeads} do not divide ${heads} heads`);
  }
  return shape;
}

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    options: { ...options, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const { help, ...sizes } = values;
  if (help) {
    console.log(usage);
    return;
  }
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error('name one folder to write to');
  const shape = shapeOf(sizes);
  const path = writeDecoder(resolve(process.env.INIT_CWD ?? '.', folder), shape);
  const bytes = statSync(join(dirname(path), 'weights.bin')).size;
  const parameters = (decoderParameters(shape) / 1e6).toFixed(0);
  console.log(`${path}: ${(bytes / 1024 ** 2).toFixed(0)} MiB, ${parameters} M parameters`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 1;
}
