/** `npm run demo:large`: a real model of a package registry over several workers, compared with onnxruntime. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CanopySession, deploy, type DeployProgress } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { formatPlan, planModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { EmbeddedIc } from '../ic/embedded.js';
import { sharedRounds } from '../large/shared-rounds.js';
import { owner } from '../measure/deployment.js';
import { realModels, type ModelPackage, type RealModel } from './catalogue.js';
import { largestDifference } from './compare.js';
import { fetchPackage } from './fetch.js';
import { askOnnxruntime } from './inputs.js';
import { tolerance } from './run.js';

const usage = `npm run demo:large [-- options]
  --model NAME   of bench/real-models.json (default: rxnmap, which maps the atoms of chemical reactions)
  --workers N    (default: 3)`;

const mebibyte = 1024 ** 2;

function find(name: string): { source: ModelPackage; model: RealModel } {
  for (const source of realModels()) {
    const model = source.models.find((one) => one.name === name);
    if (model) return { source, model };
  }
  throw new Error(`--model: there is no "${name}" in bench/real-models.json`);
}

/** Prints how far an upload is and how long it still takes, each second at most. */
function uploadTeller(): (progress: DeployProgress) => void {
  let [start, told] = [0, 0];
  return ({ step, done, total }) => {
    if (step !== 'upload') return;
    const now = Date.now();
    if (start === 0) start = now;
    if (done === 0 || (now - told < 1000 && done < total)) return;
    told = now;
    const seconds = Math.ceil(((now - start) * (total - done)) / done / 1000);
    const [sent, all] = [done, total].map((bytes) => (bytes / mebibyte).toFixed(0));
    process.stderr.write(`uploaded ${sent} of ${all} MiB, about ${seconds} s left\n`);
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'rxnmap' },
      workers: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const workers = Number(values.workers);
  const { source, model } = find(values.model);
  process.stderr.write(`fetching ${source.name} ${source.version} (${source.licence})\n`);
  const path = join(fetchPackage(source), model.file);
  console.log(`${model.name}: ${(statSync(path).size / mebibyte).toFixed(1)} MiB`);
  process.stderr.write('asking onnxruntime\n');
  const { feeds, outputs: expected, dims } = await askOnnxruntime(path, model);
  process.stderr.write('planning\n');
  const planned = await planModel(path, { name: model.name, workers, dims });
  try {
    console.log(formatPlan(planned));
    const transport = sharedRounds(new EmbeddedIc('2026-07'), owner);
    const deployment = await deploy(planned, {
      transport,
      modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
      onProgress: uploadTeller(),
    });
    process.stderr.write('asking the canisters\n');
    const session = await CanopySession.create(deployment, { transport });
    const { outputs, detail } = await session.runDetailed(feeds);
    const instructions = detail.stages.reduce((sum, stage) => sum + Number(stage.instructions), 0);
    console.log(`${workers} workers took ${(instructions / 1e6).toFixed(0)} M instructions`);
    for (const [name, right] of Object.entries(expected)) {
      const difference = largestDifference(name, outputs[name]!, right);
      console.log(`"${name}": largest difference from onnxruntime ${difference.toExponential(1)}`);
      if (!(difference <= tolerance)) throw new Error(`"${name}" is off by more than ${tolerance}`);
    }
  } finally {
    planned.close();
  }
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
