import type { Plan } from '@canopy/protocol';

/** Where worker `index` of a deployment stands, for people: `stage 1`, or `pipeline 0, stage 1`. */
export function placeText(
  { stages, pipelines }: Pick<Plan, 'stages' | 'pipelines'>,
  index: number,
): string {
  const stage = `stage ${index % stages.length}`;
  return pipelines === 1 ? stage : `pipeline ${Math.floor(index / stages.length)}, ${stage}`;
}
