/** `npm run bench:large`: what a model larger than one canister takes, written to JSON and a table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decoderShape, decoderShapes } from '../models/decoder-shapes.js';
import { longestPrompt, measureLarge } from './measure.js';
import { largeTables } from './report.js';
import { jobKey, type LargeJob } from './result.js';
import { keepLarge } from './store.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const usage = `npm run bench:large [-- options]
  --shape NAME      ${Object.keys(decoderShapes).join(', ')} (default: twin)
  --weights TYPE    f32, int8 or int4 (default: f32)
  --workers N       (default: 4)
  --tokens N        of the prompt (default: 16)
  --keep            put the result into bench/results/large.json, for docs/benchmarks.md
Models are written to .canopy/bench-models/large once. 5gib takes 16 GiB of memory, 8b more than 40: it is
compared with onnxruntime on the whole model.`;

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name}: "${text}" is not a whole number above 0`);
}

function weightsOf(text: string): LargeJob['weights'] {
  if (text === 'f32' || text === 'int8' || text === 'int4') return text;
  throw new Error(`--weights: "${text}" is not f32, int8 or int4`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: 'twin' },
      weights: { type: 'string', default: 'f32' },
      workers: { type: 'string', default: '4' },
      tokens: { type: 'string', default: '16' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  decoderShape(values.shape);
  const job: LargeJob = {
    shape: values.shape,
    weights: weightsOf(values.weights),
    workers: wholeNumber('workers', values.workers),
    tokens: wholeNumber('tokens', values.tokens),
  };
  if (job.tokens > longestPrompt) throw new Error(`--tokens: at most ${longestPrompt}`);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const start = Date.now();
  const tell = (text: string): void => {
    process.stderr.write(`${Math.round((Date.now() - start) / 1000)} s  ${jobKey(job)}: ${text}\n`);
  };
  const folder = join(root, '.canopy/bench-models/large');
  const result = await measureLarge(job, folder, version, tell);
  console.log(largeTables([result]));
  if (values.keep) keepLarge(result);
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
