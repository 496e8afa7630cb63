/** Puts rows that wait together into the next task, callers in turn. */
import { principalFieldBytes } from '../../generated/constants';
import { sameRows } from '../../program/rows';
import { isFull, tasksPerLaunch } from '../pacing/tasks';
import { resultsStay, rowsPerTask } from '../setup/config';
import { peekTurn, principalOf, takeTurn, unfinishedOf } from './callers';
import { batchesWaiting, launchBatch, rowsWaiting } from './moves';
import { batchOf, BatchState, Run, runAt } from './run';
import { mostParts, newTask, ownerOf, partAt, Task, tasksUnderWay } from './tasks';

/** Tasks that the rows which wait will make. */
function tasksWaiting(): u32 {
  if (rowsPerTask == 0) return batchesWaiting;
  return <u32>min<u64>((rowsWaiting + rowsPerTask - 1) / rowsPerTask, batchesWaiting);
}

/** Whether the head has launched enough with so many tasks in this message. */
export function isEnough(launched: u32): bool {
  return launched >= tasksPerLaunch(tasksWaiting(), tasksUnderWay);
}

/**
 * Launches the next task; its address, 0 when nothing waits, the pipeline is full or there is no heap.
 * `tasksPerMessage` is how many tasks a message of the head holds by experience.
 */
export function launch(tasksPerMessage: u32): usize {
  if (isFull(tasksUnderWay, tasksPerMessage)) return 0;
  if (peekTurn() == 0) return 0;
  // The task is made for as many parts as may come, and cut to those that did.
  const address = newTask(partsThatMayCome());
  if (address == 0) return 0;
  const task = changetype<Task>(address);
  const first = runAt(peekTurn() - 1);
  const firstBatch = nextBatch(first);
  const rows = batchOf(first, firstBatch).rows;
  const bundle = first.input + batchOf(first, firstBatch).offset;
  const mayShare = rows > 0 && batchOf(first, firstBatch).isAlone == 0;
  let count: u32 = 0;
  let total: u32 = 0;
  while (count < task.partCount) {
    const turn = peekTurn();
    if (turn == 0) break;
    const run = runAt(turn - 1);
    const batch = batchOf(run, nextBatch(run));
    if (count > 0) {
      if (!mayShare || batch.isAlone != 0 || batch.rows == 0) break;
      if (total + batch.rows > rowsPerTask) break;
      if (!sameRows(bundle, run.input + batch.offset)) break;
    }
    takeTurn();
    addPart(task, count, run);
    total += batch.rows;
    count++;
  }
  task.partCount = count;
  task.partsLeft = count;
  task.rows = total;
  task.isAtHead = 1;
  return address;
}

/** Parts that the next task can have at most. */
function partsThatMayCome(): u32 {
  return rowsPerTask == 0 ? 1 : max<u32>(1, min(min(rowsPerTask, batchesWaiting), mostParts));
}

/** The first micro-batch of a run that waits. */
function nextBatch(run: Run): u32 {
  let index = run.firstWaiting;
  while (batchOf(run, index).state != BatchState.waiting) index++;
  return index;
}

function addPart(task: Task, at: u32, run: Run): void {
  if (run.batchCount == 1 && unfinishedOf(run.caller) == 1) task.isUrgent = 1;
  const part = partAt(task.parts, at);
  part.runId = run.id;
  part.count = run.batchCount;
  part.index = launchBatch(run);
  part.rows = batchOf(run, part.index).rows;
  if (resultsStay) memory.copy(ownerOf(part), principalOf(run.caller), principalFieldBytes);
}
