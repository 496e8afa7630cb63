import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DetailedResult, Feeds, ReadyDeployment } from '@canopy/client';
import { requireReady } from '@canopy/client/manifest';
import { DType, type DTypeName } from '@canopy/protocol';
import { checkOutputs, type Comparison } from '../check.js';
import type { ConnectFlags } from '../connect.js';
import { CommandError, Interrupted } from '../errors.js';
import type { PictureOptions } from '../images/picture-tensor.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';
import { whileReachable } from '../reach.js';
import { runSteps } from '../steps.js';
import { readFeeds } from '../tensors/feeds.js';
import { numbersOf, toNestedLists } from '../tensors/json.js';
import { writeNpy } from '../tensors/npy.js';
import { typeText, type TensorValue } from '../tensors/tensor-value.js';

export interface RunFlags extends PictureOptions, ConnectFlags {
  /** Each `name=file`. */
  input?: string[];
  /** A folder for `.npy` files, or `-` for JSON on stdout. */
  output?: string;
  /** Milliseconds the run may take. */
  timeout?: number;
  /** ONNX file whose outputs by onnxruntime are compared. */
  check?: string;
  /** Largest difference that counts as equal; relative to numbers above 1. */
  tolerance?: number;
}

const defaultTolerance = 1e-3;
/** Milliseconds in which the IC is told that a run is cancelled. */
const cancelMs = 3000;

function pictureOptions({
  resize,
  layout,
  colors,
  range,
  mean,
  std,
}: PictureOptions): PictureOptions {
  return {
    ...(resize && { resize }),
    ...(layout && { layout }),
    ...(colors && { colors }),
    ...(range !== undefined && { range }),
    ...(mean && { mean }),
    ...(std && { std }),
  };
}

/** `canopy run DEPLOYMENT`: runs a deployed model on tensors from files. */
export async function runCommand(
  deploymentName: string,
  flags: RunFlags,
  output: Output,
): Promise<void> {
  const deployment = requireReady(await findManifest(deploymentName));
  const feeds = await readFeeds(deployment.plan, flags.input ?? [], pictureOptions(flags));
  const result = await runModel(deployment, feeds, flags, output);
  const comparisons =
    flags.check === undefined
      ? []
      : await checkOutputs(flags.check, feeds, result.outputs, flags.tolerance ?? defaultTolerance);
  await printResult(result, comparisons, flags.output, output);
  const different = comparisons.filter(({ equal }) => !equal).map((one) => `"${one.output}"`);
  if (different.length > 0) {
    throw new CommandError(
      `${different.join(', ')} ${different.length === 1 ? 'is' : 'are'} not what onnxruntime gives for ${flags.check!}`,
    );
  }
}

async function runModel(
  deployment: ReadyDeployment,
  feeds: Feeds,
  flags: RunFlags,
  output: Output,
): Promise<DetailedResult> {
  const { CanopySession, requireRegistered } = await import('@canopy/client');
  const { connectToDeployment } = await import('../connect.js');
  const { transport, host } = await connectToDeployment(deployment, flags);
  let result: DetailedResult | undefined;
  const session = await CanopySession.create(deployment, { transport });
  const run = async (): Promise<void> => {
    await requireRegistered(deployment, { transport });
    const work = session.runDetailed(feeds, {
      signal: output.signal,
      ...(flags.timeout !== undefined && { timeoutMs: flags.timeout }),
    });
    result = await whileReachable(host, 'run it again once it is back', work);
  };
  try {
    await runSteps(output, [{ title: `Running "${deployment.model}" on ${host}`, run }]);
    return result!;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(error.signal, 'the run is cancelled');
  } finally {
    // What is cancelled, or not needed any more, is told to the IC before the process ends.
    await Promise.race([session.release(), setTimeout(cancelMs, undefined, { ref: false })]);
  }
}

function tensorValue(name: string, tensor: DetailedResult['outputs'][string]): TensorValue {
  if (!(tensor.type in DType) || !ArrayBuffer.isView(tensor.data)) {
    throw new CommandError(`output "${name}" has type ${tensor.type}, which cannot be written`);
  }
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    dtype: tensor.type as DTypeName,
    dims: tensor.dims,
    data: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

/** Values of a tensor that are shown. */
const shownValues = 6;

function describeTensor(tensor: TensorValue): string {
  const all = numbersOf(tensor);
  const values = all
    .slice(0, shownValues)
    .map((value) =>
      typeof value === 'bigint' ? value.toString() : String(Number(value.toPrecision(6))),
    );
  const more = all.length > shownValues ? ', …' : '';
  return `${typeText(tensor)}  ${values.join(', ')}${more}`;
}

function describeComparison({ output, largestDifference, equal, at }: Comparison): string {
  const where =
    at === undefined ? '' : ` (element ${at.index}: ${at.given}, onnxruntime ${at.expected})`;
  return (
    `${output}: ${equal ? 'as onnxruntime' : 'NOT as onnxruntime'}, ` +
    `largest difference ${largestDifference.toExponential(2)}${where}`
  );
}

async function printResult(
  { outputs, detail }: DetailedResult,
  comparisons: readonly Comparison[],
  target: string | undefined,
  output: Output,
): Promise<void> {
  const tensors = Object.entries(outputs).map(
    ([name, tensor]) => [name, tensorValue(name, tensor)] as const,
  );
  const files: Record<string, string> = {};
  if (target !== undefined && target !== '-') {
    await mkdir(target, { recursive: true });
    for (const [name, tensor] of tensors) {
      const file = join(target, `${name.replace(/[^\w.-]/g, '_')}.npy`);
      await writeFile(file, writeNpy(tensor));
      files[name] = file;
    }
  }
  if (output.json || target === '-') {
    const shown = tensors.map(([name, tensor]) => {
      const { dtype: type, dims } = tensor;
      const content =
        files[name] === undefined ? { data: toNestedLists(tensor) } : { file: files[name] };
      return [name, { type, dims, ...content }];
    });
    const check = comparisons.length > 0 && { check: comparisons };
    output.print(toJson({ outputs: Object.fromEntries(shown) as unknown, detail, ...check }));
    return;
  }
  for (const [name, tensor] of tensors) output.print(`${name}: ${describeTensor(tensor)}`);
  for (const file of Object.values(files)) output.print(`written: ${file}`);
  for (const comparison of comparisons) output.print(describeComparison(comparison));
  output.print('');
  output.print(
    table(
      ['stage', 'worker', 'M instructions', 'messages', 'KiB in', 'KiB out', 'scratch KiB'],
      detail.stages.map((stage, index) => [
        index,
        stage.worker,
        Number((Number(stage.instructions) / 1e6).toFixed(1)),
        stage.messages,
        Number((Number(stage.bytesReceived) / 1024).toFixed(1)),
        Number((Number(stage.bytesSent) / 1024).toFixed(1)),
        Math.round(stage.scratchBytes / 1024),
      ]),
    ),
  );
  output.print(`${detail.requests} requests, ${detail.microBatches} micro-batches`);
}
