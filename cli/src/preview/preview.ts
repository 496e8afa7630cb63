import type { PlannedModel } from '@canopy/partitioner';
import { placeText, type CanisterCycles } from '@canopy/client';
import { pipelinePlace, workerCount } from '@canopy/protocol';
import {
  Prices,
  coordinatorMemory,
  installation,
  measured,
  workerMemory,
  type Modules,
  type Rates,
  type StoredBytes,
} from './figures.js';
import { previewInference, type InferencePreview } from './inference.js';

export type { Modules, Rates } from './figures.js';

/** What one canister of a deployment takes. Cycles are of its own balance. */
export interface CanisterPreview extends StoredBytes {
  /** `coordinator`, or the place of a worker. */
  place: string;
  /** Of its shard. */
  upload: { bytes: number; messages: number };
  cycles: {
    /** Fee of creation. */
    create: number;
    install: number;
    /** Sending the shard and loading it. */
    upload: number;
    /** Telling it what it is for. */
    configure: number;
    /** 30 days of storage. */
    storage: number;
    /** Its part of the inferences of 30 days. */
    inferences: number;
  };
  /** Cycles to create it with, for all of that, what must be left over, and calls under way. */
  recommended: bigint;
}

/** What a deployment takes, before anything is done. */
export interface Preview {
  model: string;
  rates: Rates;
  canisters: readonly CanisterPreview[];
  upload: { bytes: number; messages: number };
  cycles: { create: number; install: number; upload: number; configure: number; total: number };
  inference: InferencePreview & { rounds: number };
  per1000: { cycles: number; usDollars: number };
  /** 30 days of storage, and of inferences at the stated rate. */
  per30Days: { storage: number; inferences: number; cycles: number; usDollars: number };
  /** With many requests under way, all workers on one subnet. */
  underLoad: { inferencesPerRound: number; cyclesPer1000: number };
}

const days = 30;
/** Set aside while calls are under way: about 42 B each. */
const forCalls = 1_000_000_000_000;
/** What is recommended is rounded up to so much. */
const step = 100_000_000_000;

/** Tells what putting a planned model on an Internet Computer takes, and keeping and asking it there. */
export function previewDeployment(planned: PlannedModel, modules: Modules, rates: Rates): Preview {
  const { plan, expectation } = planned;
  const prices = new Prices(rates.profile);
  const inference = previewInference(plan, prices);
  const inferences = rates.inferencesADay * days;
  const canisters = [
    coordinatorPreview(planned, modules, prices, inferences * inference.cycles.coordinator),
    ...Array.from({ length: workerCount(plan) }, (_, index) => {
      const { stage } = pipelinePlace(plan, index);
      const share = (inferences * inference.cycles.stages[stage]!) / plan.pipelines;
      return workerPreview(planned, index, modules, prices, share);
    }),
  ];
  const sum = (of: (one: CanisterPreview) => number): number =>
    canisters.reduce((total, one) => total + of(one), 0);
  const cycles = {
    create: sum((one) => one.cycles.create),
    install: sum((one) => one.cycles.install),
    upload: sum((one) => one.cycles.upload),
    configure: sum((one) => one.cycles.configure),
  };
  const usDollars = (amount: number): number => (amount / 1e12) * rates.usDollarsPerTrillion;
  const storage = sum((one) => one.cycles.storage);
  const asked = sum((one) => one.cycles.inferences);
  const per1000 = inference.cycles.total * 1000;
  return {
    model: plan.model.name,
    rates,
    canisters,
    upload: {
      bytes: sum(({ upload }) => upload.bytes),
      messages: sum((one) => one.upload.messages),
    },
    cycles: { ...cycles, total: cycles.create + cycles.install + cycles.upload + cycles.configure },
    inference: { ...inference, rounds: expectation.roundsForOne },
    per1000: { cycles: per1000, usDollars: usDollars(per1000) },
    per30Days: {
      storage,
      inferences: asked,
      cycles: storage + asked,
      usDollars: usDollars(storage + asked),
    },
    underLoad: {
      inferencesPerRound: expectation.inferencesPerRound,
      cyclesPer1000: expectation.cyclesPerThousand,
    },
  };
}

/** Cycles to create the canisters with, as a preview recommends. */
export function recommendedCycles({ canisters }: Preview): CanisterCycles {
  const [coordinator, ...workers] = canisters.map(({ recommended }) => recommended);
  // Workers of further pipelines are created as those of the first.
  return { coordinator: coordinator!, stages: workers };
}

function withRecommendation(one: Omit<CanisterPreview, 'recommended'>): CanisterPreview {
  const { create, install, upload, configure, storage, inferences } = one.cycles;
  // The freezing threshold is 30 days of storage.
  const total = create + install + upload + configure + 2 * storage + inferences + forCalls;
  return { ...one, recommended: BigInt(Math.ceil(total / step) * step) };
}

function coordinatorPreview(
  { plan }: PlannedModel,
  modules: Modules,
  prices: Prices,
  inferences: number,
): CanisterPreview {
  const {
    installInstructionsPerByte,
    startCycles,
    accessInstructions,
    registerInstructions,
    registerPerWorker,
    registerPerPlanByte,
  } = measured.coordinator;
  const workers = workerCount(plan);
  const planBytes = JSON.stringify(plan).length;
  const registering =
    registerInstructions + registerPerWorker * workers + registerPerPlanByte * planBytes;
  const memory = coordinatorMemory(modules);
  const install = installation(prices, modules.coordinator, installInstructionsPerByte, false);
  return withRecommendation({
    place: 'coordinator',
    ...memory,
    upload: { bytes: 0, messages: 0 },
    cycles: {
      create: prices.creation,
      install: install + startCycles,
      upload: 0,
      configure:
        prices.update(0, accessInstructions) +
        prices.update(planBytes, registering, 1 + workers) +
        prices.calls(workers),
      storage: days * prices.day(memory.storedBytes),
      inferences,
    },
  });
}

function workerPreview(
  planned: PlannedModel,
  index: number,
  modules: Modules,
  prices: Prices,
  inferences: number,
): CanisterPreview {
  const { plan } = planned;
  const { stage } = pipelinePlace(plan, index);
  const {
    installInstructionsPerByte,
    configureHead,
    configureOther,
    chunkInstructions,
    chunkPerByte,
    loadInstructions,
    loadPerByte,
    loadMessages,
    registerInstructions,
  } = measured.worker;
  const bytes = plan.stages[stage]!.shardBytes;
  const chunks = planned.chunkCount(stage);
  const memory = workerMemory(planned, stage, modules);
  const chunkHeader = 36;
  const sending =
    (chunks - 1) * prices.ingress(plan.chunkBytes + chunkHeader) +
    prices.ingress(bytes - (chunks - 1) * plan.chunkBytes + chunkHeader) +
    prices.execution(chunks * chunkInstructions + bytes * chunkPerByte, chunks);
  const loading =
    prices.update(0, loadInstructions + loadPerByte * bytes, loadMessages) + prices.calls(1);
  const configuring = prices.update(122, stage === 0 ? configureHead : configureOther);
  return withRecommendation({
    place: placeText(plan, index),
    ...memory,
    upload: { bytes, messages: chunks },
    cycles: {
      create: prices.creation,
      // A subnet compiles the workers' module once.
      install: installation(prices, modules.worker, installInstructionsPerByte, index > 0),
      upload: sending + loading,
      configure: configuring + prices.execution(registerInstructions),
      storage: days * prices.day(memory.storedBytes),
      inferences,
    },
  });
}
