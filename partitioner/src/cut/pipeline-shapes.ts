import { PartitionError } from '../error.js';

/** How many pipelines, and stages of each. */
export interface PipelineShape {
  stages: number;
  pipelines: number;
}

export interface ShapeRequest {
  /** In all pipelines together: a number, `auto`, or undefined for as few as the limits need. */
  workers: number | 'auto' | undefined;
  pipelines: number | 'auto';
}

/** Most workers that `auto` considers: more on one subnet give memory, not speed. */
const mostWorkers = 16;

function upTo(most: number): number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}

/** The shapes in which so many workers can stand. */
function shapesOf(workers: number, pipelines: number | 'auto'): PipelineShape[] {
  return (pipelines === 'auto' ? upTo(workers) : [pipelines])
    .map((count) => ({ stages: workers / count, pipelines: count }))
    .filter(({ stages }) => Number.isInteger(stages));
}

/**
 * The shapes that a request leaves open, in the order of their workers, then of their pipelines; one at
 * least. Throws {@link PartitionError} where there is none.
 *
 * @param fewest stages that the limits need
 * @param nodes operations of the model: a stage holds at least one
 */
export function pipelineShapes(
  { workers, pipelines }: ShapeRequest,
  fewest: number,
  nodes: number,
): PipelineShape[] {
  if (typeof workers === 'number') {
    const shapes = shapesOf(workers, pipelines);
    if (shapes.length === 0) {
      throw new PartitionError(
        'bad-option',
        `workers: ${workers} cannot be shared out evenly to ${pipelines} pipelines`,
      );
    }
    const possible = shapes.filter(({ stages }) => stages <= nodes);
    if (possible.length === 0) {
      throw new PartitionError(
        'does-not-fit',
        `workers: ${workers}${pipelines === 1 ? '' : ` in ${pipelines} pipelines, ${shapes[0]!.stages} each,`} ` +
          `is more than the ${nodes} operations of the model`,
      );
    }
    return possible;
  }
  if (workers === undefined && pipelines !== 'auto') return [{ stages: fewest, pipelines }];
  const each = pipelines === 'auto' ? 1 : pipelines;
  return upTo(Math.max(mostWorkers, fewest * each))
    .flatMap((count) => shapesOf(count, pipelines))
    .filter(({ stages }) => stages >= fewest && stages <= nodes);
}
