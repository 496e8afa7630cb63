import { renderTable, type Column } from '../report/table.js';
import type { LargeResult } from './result.js';

const left = { align: 'left' } as const;
const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0);
const billions = (value: number): string => (value / 1e9).toFixed(value < 1e10 ? 2 : 1);
const all = ({ instructions }: LargeResult): number =>
  instructions.workers + instructions.coordinator;

const asking: readonly Column<LargeResult>[] = [
  { title: 'model', ...left, cell: ({ shape }) => shape },
  { title: 'weights', ...left, cell: ({ weights }) => weights },
  { title: 'workers', cell: ({ workers }) => String(workers) },
  { title: 'tokens', cell: ({ tokens }) => String(tokens) },
  { title: 'per multiply-add', cell: (one) => (all(one) / one.multiplyAdds).toFixed(3) },
  { title: 'B a token', cell: (one) => billions(all(one) / one.tokens) },
  { title: 'pages', cell: (one) => `${((one.instructions.pages / all(one)) * 100).toFixed(0)} %` },
  { title: 'rounds', cell: ({ rounds }) => String(rounds) },
  { title: 'B a round', cell: (one) => billions(all(one) / one.rounds) },
  { title: 'largest difference', cell: ({ difference }) => difference.largest.toExponential(1) },
  { title: 'largest logit', cell: ({ difference }) => difference.magnitude.toFixed(2) },
  { title: 'cosine', cell: ({ difference }) => difference.cosine.toFixed(6) },
];

const deploying: readonly Column<LargeResult>[] = [
  { title: 'model', ...left, cell: ({ shape }) => shape },
  { title: 'weights', ...left, cell: ({ weights }) => weights },
  { title: 'M parameters', cell: ({ parameters }) => (parameters / 1e6).toFixed(0) },
  { title: 'file MiB', cell: ({ fileBytes }) => mebibytes(fileBytes) },
  { title: 'shards MiB', cell: ({ shardBytes }) => mebibytes(shardBytes) },
  { title: 'largest heap MiB', cell: ({ heapBytes }) => mebibytes(Math.max(...heapBytes)) },
  { title: 'planning, CPU s', cell: ({ planning }) => planning.cpuSeconds.toFixed(1) },
  { title: 'MiB', cell: ({ planning }) => mebibytes(planning.peakBytes) },
  { title: 'rounds of upload', cell: ({ upload }) => String(upload.rounds) },
  { title: 'bytes / 3.4 MiB', cell: ({ upload }) => upload.roundsOfBandwidth.toFixed(0) },
  { title: 'T cycles to deploy', cell: ({ deployCycles }) => (deployCycles / 1e12).toFixed(2) },
  { title: 'a month, 2026-07', cell: (one) => trillions(one.monthCycles['2026-07']) },
  { title: '2026-11', cell: (one) => trillions(one.monthCycles['2026-11']) },
];

function trillions(cycles = NaN): string {
  return (cycles / 1e12).toFixed(2);
}

/** Tables of large models, as Markdown. */
export function largeTables(results: readonly LargeResult[]): string {
  return `${renderTable(asking, results)}\n\n${renderTable(deploying, results)}`;
}

/** The part of the page about large models. */
export function largeSection(results: readonly LargeResult[]): string {
  if (results.length === 0) return '';
  return `
## Large models

Written by \`npm run bench:large\` from \`bench/results/large.json\`: decoders without cache and with random weights, one prompt alone, all its logits compared with those that onnxruntime gives for the model's file. Everything counts: workers, coordinator, pages, schedule 2026-07. Chunks are uploaded two a round. Integer weights differ from onnxruntime's by their rounding.

${largeTables(results)}
`;
}
