import { readFile } from 'node:fs/promises';
import { WorkerState, type WorkerStatus } from '@canopy/protocol';
import { expect, test } from 'vitest';
import type { Standing } from '../health.js';
import { families } from './families.js';
import { samplesOf } from './samples.js';
import { serveMetrics } from './serve.js';
import { textOf } from './text.js';

const well = {
  status: 'running' as const,
  memoryBytes: 5,
  cycles: 3_000_000_000_000n,
  idlePerDay: 7n,
  freezingCycles: 210n,
};
const standing: Standing = {
  places: ['coordinator', 'stage 0', 'stage 1'],
  canisters: ['c', 'w0', 'w1'],
  health: [well, well, { ...well, status: 'stopped' }],
  workers: [
    { state: WorkerState.ready, waiting: 2, tasksDone: 9n, instructions: 11n } as WorkerStatus,
    undefined,
  ],
  metrics: {
    requests: 10n,
    failed: 4n,
    micro_batches: 6n,
    worker_instructions: 11n,
    in_flight: 1,
  },
  epoch: 5n,
  problems: ['stage 1 is stopped'],
};
const samples = [
  ...samplesOf({ deployment: 'mine', found: { model: 'digits', standing } }),
  ...samplesOf({ deployment: 'lost' }),
];

test('each value has its labels, its kind and its meaning', async () => {
  const text = await textOf(samples);
  const lines = text.split('\n');
  for (const [name, { kind }] of Object.entries(families)) {
    expect(lines).toContain(`# TYPE ${name} ${kind}`);
    expect(lines.some((line) => line.startsWith(`${name}{`))).toBe(true);
  }
  const stage0 = 'deployment="mine",model="digits",canister="w0",place="stage 0"';
  expect(lines).toEqual(
    expect.arrayContaining([
      'canopy_up{deployment="mine"} 1',
      'canopy_up{deployment="lost"} 0',
      'canopy_healthy{deployment="mine",model="digits"} 0',
      'canopy_requests_total{deployment="mine",model="digits",outcome="failed"} 4',
      'canopy_requests_total{deployment="mine",model="digits",outcome="not_failed"} 6',
      `canopy_worker_instructions_total{${stage0}} 11`,
      `canopy_worker_waiting{${stage0}} 2`,
      `canopy_canister_cycles{${stage0}} 3000000000000`,
      'canopy_worker_ready{deployment="mine",model="digits",canister="w1",place="stage 1"} 0',
      'canopy_canister_running{deployment="mine",model="digits",canister="w1",place="stage 1"} 0',
    ]),
  );
  expect(text).not.toMatch(/canopy_worker_waiting\{[^}]*canister="w1"/);
});

test('a scrape that fails is an answer; scrapes that come together share one; other paths are not there', async () => {
  let scrapes = 0;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const scrape = async (): Promise<string> => {
    if (++scrapes > 1) throw new Error('no network');
    await held;
    return 'text\n';
  };
  const { url, server } = await serveMetrics(scrape, { host: '127.0.0.1', port: 0 });
  try {
    const both = [fetch(url), fetch(`${url}?again`)];
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
    while (scrapes === 0) await new Promise((wake) => setTimeout(wake, 5));
    await new Promise((wake) => setTimeout(wake, 50));
    release();
    for (const answer of await Promise.all(both)) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      expect(await answer.text()).toBe('text\n');
    }
    expect(scrapes).toBe(1);
    const failed = await fetch(url);
    expect([failed.status, await failed.text()]).toEqual([500, 'Error: no network\n']);
    await expect(
      serveMetrics(scrape, { host: '127.0.0.1', port: Number(new URL(url).port) }),
    ).rejects.toThrow(/cannot listen on 127.0.0.1, port \d+: .*EADDRINUSE/);
  } finally {
    server.close();
  }
});

interface Dashboard {
  panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
  templating: { list: { query: unknown }[] };
}

test('the dashboard asks for what is served, by labels that it has', async () => {
  const file = new URL('../../../docs/grafana.json', import.meta.url);
  const { panels, templating } = JSON.parse(await readFile(file, 'utf8')) as Dashboard;
  const named = new Set<string>();
  for (const { expr, legendFormat } of panels.flatMap(({ targets }) => targets)) {
    const names = [...expr.matchAll(/canopy_\w+/g)].map(([name]) => name);
    expect(names.length, expr).toBeGreaterThan(0);
    const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? [];
    const filters = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label]) => label!);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    for (const name of names) {
      named.add(name);
      expect(Object.keys(families), expr).toContain(name);
      const { labels, kind } = families[name as keyof typeof families];
      for (const label of [...by, ...filters, ...shown]) expect(labels, expr).toContain(label);
      expect(expr.includes(`rate(${name}`), expr).toBe(kind === 'counter');
    }
  }
  expect(JSON.stringify(templating)).toContain('label_values(canopy_up, deployment)');
  const left = Object.keys(families).filter((name) => !named.has(name));
  expect(left).toEqual(['canopy_micro_batches_total']);
});
