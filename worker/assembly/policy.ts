/**
 * The worker's pacing as a module of its own: it imports nothing, and plays one worker. The planner's
 * simulation runs it with predicted costs. Instructions and times are whole numbers in f64, which callers
 * outside pass without big integers; a round is told by its time, of which only changes matter.
 */
import * as budget from './canister/pacing/budget';
import { setPlace } from './canister/pacing/place';
import * as round from './canister/pacing/round';
import * as tasks from './canister/pacing/tasks';

/** A new worker in this place. */
export function begin(stage: u32, stages: u32, pipelines: u32, instructionBudget: f64): void {
  setPlace(stage, stages, pipelines, true, <u64>instructionBudget);
  budget.forget();
  round.forget();
}

export function runCame(now: f64, isStepOutstanding: bool): void {
  round.runCame(<u64>now, isStepOutstanding);
}
export function tasksCame(now: f64, sentAt: f64, isStepOutstanding: bool): void {
  round.tasksCame(<u64>now, <u64>sentAt, isStepOutstanding);
}
export function newsCame(now: f64): void {
  round.newsCame(<u64>now);
}
export function isQuiet(now: f64): bool {
  return round.isQuiet(<u64>now);
}
export function isQuietStep(now: f64): bool {
  return round.isQuietStep(<u64>now);
}

export function setCoordinatorLoad(instructions: f64): void {
  budget.setCoordinatorLoad(<u64>instructions);
}
export function setMessageBudget(instructions: f64): void {
  budget.setMessageBudget(<u64>instructions);
}
export function noteEnd(): void {
  budget.noteEnd();
}
export function messageBudget(): f64 {
  return <f64>budget.messageBudget();
}

export function tasksPerMessage(perTask: f64): u32 {
  return tasks.tasksPerMessage(<u64>perTask);
}
export function isFull(underWay: u32, perMessage: u32): bool {
  return tasks.isFull(underWay, perMessage);
}
export function tasksPerLaunch(waiting: u32, underWay: u32): u32 {
  return tasks.tasksPerLaunch(waiting, underWay);
}
export function hasRoom(used: f64, collected: f64): bool {
  return tasks.hasRoom(<u64>used, <u64>collected);
}
export function taskBudget(used: f64, usual: f64, done: f64, collected: f64, sending: f64): f64 {
  return <f64>tasks.taskBudget(<u64>used, <u64>usual, <u64>done, <u64>collected, <u64>sending);
}
