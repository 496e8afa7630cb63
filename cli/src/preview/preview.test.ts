/** Previews against what the embedded IC charges: `docs/costs.md` holds the table. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CanopySession, deploy, type Feeds } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel, type PlanOptions } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import type { Plan } from '@canopy/protocol';
import { expect, test } from 'vitest';
import { LedgerIc } from '../testing/ledger-ic.js';
import { costTable, type CostRow } from './cost-table.js';
import { previewDeployment } from './preview.js';

const modules = { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
const file = (name: string): string =>
  fileURLToPath(new URL(`../../../pocketic-tests/models/${name}/model.onnx`, import.meta.url));
const trillion = 1_000_000_000_000n;
const requests = 10;

/** Zeros of so many rows. */
function zeros({ inputs, typicalDims }: Plan, rows: number): Feeds {
  return Object.fromEntries(
    inputs.map(({ name, dtype, dims }) => {
      const sizes = dims.map((dim, axis) =>
        typeof dim === 'number' ? dim : axis === 0 ? rows : typicalDims[dim]!,
      );
      const size = sizes.reduce((product, one) => product * one, 1);
      const data = dtype === 'int64' ? new BigInt64Array(size) : new Float32Array(size);
      return [name, { type: dtype, dims: sizes, data }];
    }),
  );
}

/** Deploys a model, asks it, and gives what was charged beside what was previewed. */
async function charged(name: string, options: PlanOptions, profile: '2026-07' | '2026-11') {
  const planned = await planModel(file(name), options);
  try {
    const { plan } = planned;
    const rates = { profile, usDollarsPerTrillion: 1.36, inferencesADay: 1000 };
    const preview = previewDeployment(planned, modules, rates);
    const ic = new LedgerIc(profile);
    const { transport } = ic;
    const amount = 20n * trillion;
    const deployment = await deploy(planned, {
      transport,
      modules,
      cycles: amount,
      cyclesLedger: true,
      uploadConcurrency: 1,
    });
    await ic.settle();
    const balances = (): bigint[] => ic.canisters.map((id) => ic.balance(id));
    const deployed = balances().map((balance) => Number(amount - balance));
    const session = await CanopySession.create(deployment, { transport });
    // The heap is as large as it will be once a whole micro-batch came.
    const whole = plan.rowsIndependent ? plan.microBatchRows : 1;
    for (let i = 0; i < plan.pipelines; i++) await session.run(zeros(plan, whole));
    await ic.settle();
    const before = balances();
    const { rounds } = ic;
    let took = 0;
    for (let request = 0; request < requests; request++) {
      await session.run(zeros(plan, 1));
    }
    took = ic.rounds - rounds;
    await ic.settle();
    const after = balances();
    const perDay = await Promise.all(ic.canisters.map((id) => ic.idlePerDay(id)));
    const seconds = ic.rounds - rounds;
    await session.release();
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const idle = sum(perDay);
    const used = sum(before.map((balance, index) => Number(balance - after[index]!)));
    const rows: CostRow[] = [
      ['create, install, upload', preview.cycles.total, sum(deployed)],
      [
        'of it install and upload',
        preview.cycles.total - preview.cycles.create,
        sum(deployed) - preview.cycles.create,
      ],
      [
        '1,000 inferences',
        preview.per1000.cycles,
        ((used - (idle * seconds) / 86_400) / requests) * 1000,
      ],
      ['30 days of storage', preview.per30Days.storage, idle * 30],
    ].map(([what, previewed, counted]) => ({
      model: name,
      workers: deployment.workers.length,
      profile,
      what: what as string,
      previewed: previewed as number,
      counted: counted as number,
    }));
    return { rows, rounds: [preview.inference.rounds, took / requests] };
  } finally {
    planned.close();
  }
}

const cases: [string, PlanOptions][] = [
  ['tiny-gemm', { workers: 1 }],
  ['digits-cnn', { workers: 2 }],
  ['bert-tiny', { workers: 4, dims: { batch_size: 1, sequence_length: 32 } }],
  ['mobilenetv2', { workers: 3 }],
  ['mobilenetv2', { workers: 2, pipelines: 2 }],
];

test('is within 5 % of the charges', async () => {
  const all: CostRow[] = [];
  for (const profile of ['2026-07', '2026-11'] as const) {
    for (const [name, options] of cases) {
      const { rows, rounds } = await charged(name, options, profile);
      all.push(...rows);
      expect(rounds[1], `rounds of ${name}`).toBe(rounds[0]);
    }
  }
  for (const { model, what, previewed, counted } of all) {
    expect(Math.abs(previewed / counted - 1), `${model}: ${what}`).toBeLessThan(0.05);
  }
  // `npm run costs` writes the page's table anew.
  if (process.env['CANOPY_WRITE_COSTS'] !== undefined) await writeTable(costTable(all));
});

async function writeTable(table: string): Promise<void> {
  const page = new URL('../../../docs/costs.md', import.meta.url);
  const [before, rest] = (await readFile(page, 'utf8')).split('<!-- charges -->\n', 2);
  const after = rest!.slice(rest!.indexOf('\n\n', 1));
  await writeFile(page, `${before!}<!-- charges -->\n\n${table}${after}`);
}
