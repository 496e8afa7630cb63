import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CanopySession, viewAs, type DetailedResult, type Feeds } from '@canopy/client';
import { DType, type DTypeName, type Plan } from '@canopy/protocol';
import { connect } from '../connect.js';
import { CommandError, UsageError } from '../errors.js';
import { findManifest } from '../manifests.js';
import { runSteps, table, toJson, type Output } from '../output.js';
import { toNestedLists } from '../tensors/json.js';
import { writeNpy } from '../tensors/npy.js';
import { readTensorFile } from '../tensors/tensor-file.js';
import type { TensorValue } from '../tensors/tensor-value.js';

export interface RunFlags {
  input?: Record<string, string>;
  /** A folder for `.npy` files, or `-` for JSON on stdout. */
  output?: string;
  replica?: string;
}

/** Reads the files of all inputs. Throws {@link UsageError} where they are not those of the model. */
export async function readFeeds(plan: Plan, files: Record<string, string>): Promise<Feeds> {
  const known = plan.inputs.map((spec) => `${spec.name} ${spec.dtype}[${spec.dims.join(',')}]`);
  const takes = `the model takes ${known.join(' and ')}`;
  const unknown = Object.keys(files).find(
    (name) => !plan.inputs.some((spec) => spec.name === name),
  );
  if (unknown !== undefined) throw new UsageError(`input "${unknown}" is unknown; ${takes}`);
  const feeds: Record<string, Feeds[string]> = {};
  for (const spec of plan.inputs) {
    const file = files[spec.name];
    if (file === undefined) {
      throw new UsageError(`--input ${spec.name}=FILE is missing; ${takes}`);
    }
    const { dtype, dims, data } = await readTensorFile(file, spec);
    feeds[spec.name] = { type: dtype, dims, data: viewAs(dtype, data) };
  }
  return feeds;
}

/** `canopy run DEPLOYMENT`: runs a deployed model on tensors from files. */
export async function runCommand(
  deploymentName: string,
  flags: RunFlags,
  output: Output,
): Promise<void> {
  const deployment = await findManifest(deploymentName);
  const feeds = await readFeeds(deployment.plan, flags.input ?? {});
  const { transport, host } = await connect(flags.replica ?? deployment.host);
  let result: DetailedResult | undefined;
  await runSteps(output, [
    {
      title: `Running "${deployment.model}" on ${host}`,
      run: async () => {
        const session = await CanopySession.create(deployment, { transport });
        result = await session.runDetailed(feeds);
      },
    },
  ]);
  await printResult(result!, flags.output, output);
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

function describeTensor({ dtype, dims, data }: TensorValue): string {
  const first: (number | bigint)[] = [...viewAs(dtype, data).subarray(0, 6)];
  const values = first.map((value) =>
    typeof value === 'bigint' ? value.toString() : String(Number(value.toPrecision(6))),
  );
  const more = data.length > 0 && values.length === 6 ? ', …' : '';
  return `${dtype}[${dims.join(',')}]  ${values.join(', ')}${more}`;
}

async function printResult(
  { outputs, detail }: DetailedResult,
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
    output.print(toJson({ outputs: Object.fromEntries(shown) as unknown, detail }));
    return;
  }
  for (const [name, tensor] of tensors) output.print(`${name}: ${describeTensor(tensor)}`);
  for (const file of Object.values(files)) output.print(`written: ${file}`);
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
