/** Cycles of a deployment that is taken away come back, also where that is interrupted. */
import { fileURLToPath } from 'node:url';
import { deploy, planRemoval, removeDeployment } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { refundWasm, workerWasmGz } from '@canopy/worker';
import { expect, test } from 'vitest';
import { LedgerIc } from './testing/ledger-ic.js';

const model = fileURLToPath(
  new URL('../../pocketic-tests/models/tiny-gemm/model.onnx', import.meta.url),
);
const trillion = 1_000_000_000_000n;
/** Of each canister: what it sets aside for the message and the call that send the rest. */
const stays = 83_000_000_000n;

test('cycles come back to the account, but for the price of sending them', async () => {
  const planned = await planModel(model);
  const ic = new LedgerIc();
  const { transport } = ic;
  const deployment = await deploy(planned, {
    transport,
    modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
    cycles: 5n * trillion,
    cyclesLedger: true,
  });
  planned.close();
  await ic.settle();
  const held = ic.canisters.reduce((sum, id) => sum + ic.balance(id), 0n);
  const before = await ic.ledgerBalance();
  let installs = 0;
  const options = { transport, refundModule: refundWasm() };
  // The first time it ends when the second canister holds the module that sends cycles.
  const dying = {
    ...transport,
    update: (...args: Parameters<typeof transport.update>) => {
      if (args[1] === 'give_back' && ++installs === 2) throw new Error('killed');
      return transport.update(...args);
    },
  };
  const removal = await planRemoval(deployment, options);
  const first = removeDeployment(deployment, removal, { ...options, transport: dying });
  await expect(first).rejects.toThrow('killed');
  expect(ic.canisters).toHaveLength(1);
  const rest = await planRemoval(deployment, options);
  expect(rest.deleted).toHaveLength(1);
  await removeDeployment(deployment, rest, options);
  expect(ic.canisters).toEqual([]);
  const back = (await ic.ledgerBalance()) - before;
  expect(Number(held - back)).toBeGreaterThan(0);
  expect(Number(held - back)).toBeLessThan(Number(2n * stays));
});
