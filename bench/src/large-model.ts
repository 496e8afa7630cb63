/** `npm run large-model -w bench`: writes a decoder-shaped transformer of any size with random weights. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { decoderParameters, writeDecoder, type DecoderShape } from './models/decoder.js';

const usage = `npm run large-model -w bench -- FOLDER [options]
Writes model.onnx and weights.bin to FOLDER: a decoder without cache, int64 ids [1, seq] to logits.
  --hidden N      width (default: 2048)
  --layers N      (default: 24)
  --heads N       heads of attention (default: 16)
  --mlp N         width of the MLP (default: 8192)
  --vocabulary N  (default: 32000)
  --positions N   longest prompt (default: 512)
  --seed N        of the random weights (default: 1)
The defaults take 5 GiB. 300 MB: --hidden 1024 --layers 5 --mlp 4096 --vocabulary 8000`;

const number = (text: string): { type: 'string'; default: string } => ({
  type: 'string',
  default: text,
});
const options = {
  hidden: number('2048'),
  layers: number('24'),
  heads: number('16'),
  mlp: number('8192'),
  vocabulary: number('32000'),
  positions: number('512'),
  seed: number('1'),
} as const;

/** The shape that arguments name. Throws where one is no whole number, or heads do not divide the width. */
function shapeOf(values: Record<keyof DecoderShape, string>): DecoderShape {
  const shape = Object.fromEntries(
    Object.entries(values).map(([name, text]) => {
      const value = Number(text);
      if (Number.isSafeInteger(value) && value >= (name === 'seed' ? 0 : 1)) return [name, value];
      throw new Error(`--${name}: "${text}" is not a whole number above 0`);
    }),
  ) as unknown as DecoderShape;
  if (shape.hidden % shape.heads === 0) return shape;
  throw new Error(`--heads: ${shape.heads} heads do not divide a width of ${shape.hidden}`);
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
