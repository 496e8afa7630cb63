import type { ConnectFlags } from '../connect.js';
import { standingOf } from '../health.js';
import { deploymentNames, findManifest } from '../manifests.js';
import { samplesOf, type Scraped } from '../metrics/samples.js';
import type { Output } from '../output.js';

export interface MetricsFlags extends ConnectFlags {
  /** Print them once and end. */
  once?: boolean;
  host: string;
  port: number;
}

/** `canopy metrics [DEPLOYMENT...]`: serves figures of deployments, of all in this folder unless named, to Prometheus. */
export async function metricsCommand(
  names: readonly string[],
  flags: MetricsFlags,
  output: Output,
): Promise<void> {
  for (const name of names) await findManifest(name);
  const { textOf } = await import('../metrics/text.js');
  const scrape = async (): Promise<string> => {
    const deployments = names.length > 0 ? names : await deploymentNames();
    const scraped = await Promise.all(deployments.map((name) => scrapeOne(name, flags, output)));
    return textOf(scraped.flatMap(samplesOf));
  };
  if (flags.once === true) {
    output.print((await scrape()).trimEnd());
    return;
  }
  const { serveMetrics } = await import('../metrics/serve.js');
  const { url, server } = await serveMetrics(scrape, flags);
  output.note(`Metrics are at ${url}, until Ctrl-C.`);
  await new Promise<void>((resolve) => {
    if (output.signal.aborted) resolve();
    output.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  server.closeAllConnections();
  server.close();
}

/** One that cannot be looked at is told of, and does not keep the others from being served. */
async function scrapeOne(name: string, flags: ConnectFlags, output: Output): Promise<Scraped> {
  try {
    const { requireReady } = await import('@canopy/client');
    const deployment = requireReady(await findManifest(name));
    const { connectToDeployment } = await import('../connect.js');
    const { transport } = await connectToDeployment(deployment, flags);
    const standing = await standingOf(deployment, transport);
    return { deployment: name, found: { model: deployment.model, standing } };
  } catch (error) {
    output.note(`${name}: ${(error as Error).message}`);
    return { deployment: name };
  }
}
