import { pipelinePlace, type Plan } from '@canopy/protocol';

/** Where worker `index` of a deployment stands, for people: `stage 1`, or `pipeline 0, stage 1`. */
export function placeText(plan: Pick<Plan, 'stages' | 'pipelines'>, index: number): string {
  const { pipeline, stage } = pipelinePlace(plan, index);
  return plan.pipelines === 1 ? `stage ${stage}` : `pipeline ${pipeline}, stage ${stage}`;
}
