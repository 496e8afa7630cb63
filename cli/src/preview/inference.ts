import type { Plan } from '@canopy/protocol';
import { measured, requestBytes, type Prices } from './figures.js';

/** What one inference alone takes: a request of one row, when no other is there. */
export interface InferencePreview {
  inputBytes: number;
  outputBytes: number;
  /** Of the coordinator and of the worker of each stage. */
  instructions: { coordinator: number; stages: readonly number[]; total: number };
  messages: number;
  cycles: { coordinator: number; stages: readonly number[]; total: number };
}

/** Messages that canisters execute for a request alone, those of tasks that go on in further messages left out. */
function smallMessages(stages: number): number {
  const { one, few, many, perStage } = measured.messages;
  if (stages === 1) return one;
  return (stages < 5 ? few : many) + perStage * stages;
}

/** Messages of the coordinator for a request. */
const ofCoordinator = 2;
/** Calls besides those with which tasks travel: to the head, its steps and looks. */
const ownCalls = 4;

/** What one inference takes on a subnet that does nothing else. */
export function previewInference(plan: Plan, prices: Prices): InferencePreview {
  const { stages } = plan;
  const { requestInstructions, requestPerStage, requestPerInputByte, requestPerOutputByte } =
    measured.coordinator;
  const inputBytes = requestBytes(plan);
  const alone = stages.map(({ predictions }) => predictions[0]!);
  const outputBytes = alone.at(-1)!.bytesSent;
  const coordinator =
    requestInstructions +
    requestPerStage * (stages.length - 1) +
    requestPerInputByte * inputBytes +
    requestPerOutputByte * outputBytes;
  const more = alone.reduce((sum, { messages }) => sum + 2 * (messages - 1), 0);
  const messages = smallMessages(stages.length) + more;
  // The head has the most of them; what is told of a stage is what is charged there.
  const small = messages - ofCoordinator;
  const others = stages.length - 1;
  const smallOf = (stage: number): number => (stage === 0 ? small - 2 * others : 2);
  const work = alone.map(
    ({ instructions }, stage) =>
      instructions +
      smallOf(stage) * measured.messages.instructions +
      (stage === 0 ? measured.messages.receivedByte * inputBytes : 0),
  );
  // A last stage that is not the head sends results there, and the head answers with them.
  const sent = alone.map(({ bytesSent }, stage) =>
    stage === 0 && others > 0 ? bytesSent + outputBytes : bytesSent,
  );
  const stageCycles = work.map((instructions, stage) => {
    const calls = stage === 0 ? ownCalls - 1 : 1;
    return prices.execution(instructions, smallOf(stage)) + prices.calls(calls, sent[stage]);
  });
  const coordinatorCycles =
    prices.update(inputBytes, coordinator, ofCoordinator) + prices.calls(1, inputBytes);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    inputBytes,
    outputBytes,
    instructions: { coordinator, stages: work, total: coordinator + sum(work) },
    messages,
    cycles: {
      coordinator: coordinatorCycles,
      stages: stageCycles,
      total: coordinatorCycles + sum(stageCycles),
    },
  };
}
