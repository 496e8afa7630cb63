import type { ConnectFlags } from '../connect.js';
import { findManifest } from '../manifests.js';
import { toJson, type Output } from '../output.js';

/** `canopy logs DEPLOYMENT`: what its canisters printed and why they trapped, by time. */
export async function logsCommand(
  name: string,
  flags: ConnectFlags,
  output: Output,
): Promise<void> {
  const deployment = await findManifest(name);
  const { plan, coordinator, workers } = deployment;
  const { connectToDeployment } = await import('../connect.js');
  const { canisterLogs, placeText } = await import('@canopy/client');
  const { transport } = await connectToDeployment(deployment, flags);
  const places = [
    ...(coordinator === undefined ? [] : [{ place: 'coordinator', canister: coordinator }]),
    ...workers.map((canister, index) => ({ place: placeText(plan, index), canister })),
  ];
  const logs = await Promise.all(
    places.map(async ({ place, canister }) =>
      (await canisterLogs(transport, canister)).map((line) => ({ ...line, place, canister })),
    ),
  );
  const lines = logs.flat().sort((one, other) => Number(one.time - other.time));
  const shown = lines.map(({ time, ...line }) => ({
    time: new Date(Number(time / 1_000_000n)).toISOString(),
    ...line,
  }));
  if (output.json) {
    output.print(toJson(shown));
    return;
  }
  if (shown.length === 0) output.print('Nothing is in the logs of its canisters.');
  for (const { time, place, text } of shown) output.print(`${time} ${place}: ${text}`);
}
