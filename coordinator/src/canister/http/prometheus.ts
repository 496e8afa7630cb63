/** The text format of Prometheus, version 0.0.4. */
import type { Histogram } from '../metrics/histogram.js';

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escape = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));

/** Values of one name. */
export class Family {
  private readonly lines: string[];

  constructor(
    private readonly name: string,
    kind: 'counter' | 'gauge' | 'histogram',
    help: string,
  ) {
    this.lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
  }

  add(labels: Labels, value: number | bigint): this {
    this.lines.push(`${this.name}${labelText(labels)} ${String(value)}`);
    return this;
  }

  addHistogram(labels: Labels, { buckets, sum }: Histogram): this {
    for (const { bound, atMost } of buckets) {
      const le = bound === undefined ? '+Inf' : String(bound);
      this.lines.push(`${this.name}_bucket${labelText({ ...labels, le })} ${atMost}`);
    }
    this.lines.push(`${this.name}_sum${labelText(labels)} ${sum}`);
    this.lines.push(`${this.name}_count${labelText(labels)} ${buckets.at(-1)!.atMost}`);
    return this;
  }

  /** All lines; nothing where there are no values. */
  get text(): string {
    return this.lines.length === 2 ? '' : `${this.lines.join('\n')}\n`;
  }
}
