import { beforeEach, describe, expect, it } from 'vitest';
import { policyOf, type Policy } from './policy.js';

const budget = 1_900_000_000;
let policy: Policy;

beforeEach(() => {
  policy = policyOf(0);
  policy.begin(0, 3, 1, budget);
});

describe("the worker's policy as a module", () => {
  it('keeps the first three iterations of a round quiet, and forgets with a new worker', () => {
    expect([1, 2, 3, 4].map(() => policy.isQuietStep(1))).toEqual([1, 1, 1, 0]);
    expect(policy.isQuiet(1)).toBe(0);
    expect(policy.isQuiet(2)).toBe(1);
    // Tasks that the stage before sent in the same round come after the quiet.
    policy.tasksCame(2, 2, false);
    expect(policy.isQuiet(2)).toBe(0);
    policy.begin(0, 3, 1, budget);
    expect(policy.isQuiet(2)).toBe(1);
  });

  it('does without quiet where rounds end before it', () => {
    for (let round = 1; round <= 4; round++) policy.isQuietStep(round);
    expect(policy.isQuiet(5)).toBe(0);
  });

  it('leaves room for the coordinator, for as long as what it said holds', () => {
    expect(policy.messageBudget()).toBe(budget);
    policy.runCame(1, false);
    policy.setCoordinatorLoad(300e6);
    expect(policy.messageBudget()).toBe(budget - 300e6);
    policy.noteEnd();
    expect(policy.messageBudget()).toBe(budget - 316e6);
    for (let round = 2; round <= 5; round++) policy.newsCame(round);
    expect(policy.messageBudget()).toBe(budget);
  });

  it('lets a later stage work as long as it was told', () => {
    policy.begin(1, 3, 1, budget);
    policy.setMessageBudget(1_500_000_000);
    expect(policy.messageBudget()).toBe(1_500_000_000);
    policy.setMessageBudget(0);
    expect(policy.messageBudget()).toBe(budget);
  });

  it('launches so many tasks that every stage has some', () => {
    expect(policy.tasksPerMessage(0)).toBe(1);
    expect(policy.tasksPerMessage(100e6)).toBe(19);
    expect([9, 10].map((underWay) => policy.isFull(underWay, 1))).toEqual([0, 1]);
    expect(policy.tasksPerLaunch(24, 0)).toBe(4);
  });

  it('finishes a task that by experience still fits, and splits one that does not', () => {
    const [collected, sending] = [10e6, 20e6];
    expect(policy.taskBudget(1e9, 500e6, 0, collected, sending)).toBe(budget - sending);
    const split = policy.taskBudget(1.6e9, 500e6, 0, collected, sending);
    expect(split).toBeLessThan(budget - sending);
    expect(policy.hasRoom(split, collected)).toBe(0);
    expect(policy.hasRoom(1e9, collected)).toBe(1);
  });
});

it('each simulated worker has an instance of its own', () => {
  const [one, other] = [policyOf(0), policyOf(1)];
  one.begin(1, 2, 1, budget);
  other.begin(1, 2, 1, budget);
  one.setMessageBudget(1_200_000_000);
  expect(other.messageBudget()).toBe(budget);
});
