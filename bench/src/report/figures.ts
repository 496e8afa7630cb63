import { bestRate, type BenchResult, type RunResult, type Way } from '../results/schema.js';
import { wayNames } from '../ways.js';
import { digits, percent } from './format.js';
import { fastest, modelRate, runsOf } from './goals.js';
import { groupedBars, lines, stackedBars, type Bar } from './plots.js';

/** An SVG file of the page. */
export interface Figure {
  file: string;
  alt: string;
  svg: string;
}

const ways: readonly Way[] = ['a', 'b', 'c', 'd'];
const B = 1e9;

/** The fastest run of each way, on one pipeline of 4 workers (a: on 1). */
export function fastestByWay(result: BenchResult, model: string): Partial<Record<Way, RunResult>> {
  const found: Partial<Record<Way, RunResult>> = {};
  for (const way of ways) {
    const runs = runsOf(result, { way, workers: way === 'a' ? 1 : 4, pipelines: 1 });
    const best = fastest(runs.filter((run) => run.model === model));
    if (best) found[way] = best;
  }
  return found;
}

function timesWayA(result: BenchResult): Figure {
  const bars = result.models.flatMap(({ name }): Bar[] => {
    const byWay = fastestByWay(result, name);
    if (!byWay.a) return [];
    const base = bestRate(byWay.a);
    const bar = (title: string, run: RunResult | undefined): Bar[] => {
      if (!run) return [];
      const value = bestRate(run) / base;
      return [{ group: name, name: title, value, label: digits(value) }];
    };
    const several = runsOf(result, { way: 'd', workers: 4 }).filter(
      (run) => run.model === name && run.pipelines > 1,
    );
    return [
      ...ways.flatMap((way) => bar(wayNames[way], byWay[way])),
      ...bar('d, several pipelines', fastest(several)),
    ];
  });
  const frame = {
    title: 'Inferences a round, one canister = 1',
    valueLabel: 'times way a',
    reference: { value: 1, text: '' },
  };
  return { file: 'times-one-canister.svg', alt: frame.title, svg: groupedBars(frame, bars) };
}

function overWorkers(result: BenchResult): Figure {
  const counts = [...new Set(result.runs.map((run) => run.workers))].sort((a, b) => a - b);
  const points = result.models.flatMap(({ name }) =>
    counts.flatMap((workers) => {
      const runs = [
        ...runsOf(result, { way: 'd', workers }),
        ...(workers === 1 ? runsOf(result, { way: 'a', workers }) : []),
      ];
      const best = fastest(runs.filter((run) => run.model === name));
      return best ? [{ line: name, x: workers, y: modelRate(best) / B }] : [];
    }),
  );
  const frame = {
    title: 'Model instructions a round, plenty in flight',
    xLabel: 'workers',
    valueLabel: 'B a round',
    reference: { value: 15.2, text: '4 threads × 2 messages × 1.9 B' },
  };
  return { file: 'over-workers.svg', alt: frame.title, svg: lines(frame, points) };
}

function whereInstructionsGo(result: BenchResult): Figure {
  const bars = result.models.flatMap(({ name, split }): Bar[] => {
    const run = fastestByWay(result, name).d;
    if (split.length === 0 || !run) return [];
    const sum = (figure: (stage: (typeof split)[number]) => number): number =>
      split.reduce((total, stage) => total + figure(stage), 0);
    const parts = {
      kernels: sum((stage) => stage.kernels),
      pages: sum((stage) => stage.pages),
      interpreter: sum((stage) => stage.interpreter),
      messages: sum((stage) => stage.messages),
      coordinator: run.instructionsPerInput.coordinator,
    };
    const total = Object.values(parts).reduce((all, part) => all + part, 0);
    return Object.entries(parts).map(([part, value]) => {
      const share = value / total;
      return { group: name, name: part, value: share, label: percent(share) };
    });
  });
  const frame = { title: 'What instructions go into, way d on 4 workers', valueLabel: 'share' };
  return { file: 'instructions.svg', alt: frame.title, svg: stackedBars(frame, bars) };
}

function workersAtWork(result: BenchResult): Figure {
  const most = Math.max(1, ...result.runs.map((run) => run.atWork.length));
  const names = Array.from({ length: Math.min(4, most) }, (_, index) =>
    index === 3 ? '4 and more' : String(index + 1),
  );
  const model = result.models.find(({ name }) => name === 'sentence-encoder') ?? result.models[0]!;
  const byWay = fastestByWay(result, model.name);
  const bars = ways.flatMap((way): Bar[] => {
    const run = byWay[way];
    if (!run) return [];
    return names.map((name, index) => {
      const share =
        index < 3
          ? (run.atWork[index] ?? 0)
          : run.atWork.slice(3).reduce((sum, one) => sum + one, 0);
      return { group: wayNames[way], name, value: share, label: percent(share) };
    });
  });
  const title = `Workers at work at the same time, ${model.name}`;
  const frame = { title, valueLabel: 'share of instructions' };
  return { file: 'at-work.svg', alt: title, svg: stackedBars(frame, bars) };
}

/** All figures of the page; those without figures to draw are left out. */
export function pageFigures(result: BenchResult): Figure[] {
  return [
    timesWayA(result),
    overWorkers(result),
    whereInstructionsGo(result),
    workersAtWork(result),
  ];
}
