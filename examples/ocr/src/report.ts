import type { RunDetail } from '@canopy/client';
import type { Plan } from '@canopy/protocol';

/** Largest absolute difference of two lists of numbers; infinite where their lengths differ. */
export function largestDifference(given: Float32Array, expected: Float32Array): number {
  if (given.length !== expected.length) return Infinity;
  return expected.reduce((most, value, index) => {
    const difference = Math.abs(value - given[index]!);
    return difference <= most ? most : difference;
  }, 0);
}

/** A row per stage: what was planned for it and what it did. */
export function comparisonTable(plan: Plan, detail: RunDetail): string {
  const header = [
    'stage',
    'canister',
    'nodes',
    'weights MiB',
    'M instr. predicted',
    'M instr. counted',
    'bytes received',
    'bytes sent',
  ];
  const rows = plan.stages.map((stage, index) => {
    const counted = detail.stages[index]!;
    return [
      String(index),
      counted.worker,
      String(stage.nodes),
      (stage.weightsBytes / 1024 ** 2).toFixed(2),
      (stage.predictions[0]!.instructions / 1e6).toFixed(1),
      (Number(counted.instructions) / 1e6).toFixed(1),
      String(counted.bytesReceived),
      String(counted.bytesSent),
    ];
  });
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) => line.map((cell, column) => cell.padStart(widths[column]!)).join('  '))
    .join('\n');
}
