/** What pacing knows of the worker: its place in the pipelines, and how long a message may be at most. */

export let isHead: bool = false;
export let stages: u32 = 1;
/** Pipelines of the model, this one included. */
export let pipelines: u32 = 1;
/** Whether the head launches so many tasks a message that every stage has some; else all at once. */
export let paced: bool = true;
/** Instructions after which a message's work ends in any case. */
export let instructionBudget: u64 = 0;

export function setPlace(
  stage: u32, stageCount: u32, pipelineCount: u32, isPaced: bool, budget: u64,
): void {
  isHead = stage == 0;
  stages = stageCount;
  pipelines = pipelineCount;
  paced = isPaced;
  instructionBudget = budget;
}
