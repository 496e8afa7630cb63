import { Counter, Gauge, Registry } from 'prom-client';
import { families, type FamilyName, type Sample } from './families.js';

/** Samples in the text format of Prometheus, each family with its kind and meaning. */
export async function textOf(samples: readonly Sample[]): Promise<string> {
  const registry = new Registry();
  const metrics = new Map(
    Object.entries(families).map(([name, { kind, help, labels }]) => {
      const configuration = { name, help, labelNames: labels, registers: [registry] };
      const metric = kind === 'counter' ? new Counter(configuration) : new Gauge(configuration);
      return [name as FamilyName, metric];
    }),
  );
  for (const { name, labels, value } of samples) metrics.get(name)!.inc(labels, value);
  return registry.metrics();
}

/** Content type of {@link textOf}. */
export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;
