import type { WeightType } from '@canopy/partitioner';
import type { ProfileName } from '@canopy/local-ic/prices';

/** What is measured of a large model. */
export interface LargeJob {
  /** Name of its sizes. */
  shape: string;
  weights: WeightType;
  workers: number;
  /** Of the prompt. */
  tokens: number;
}

/** Figures of a large model on the embedded IC. */
export interface LargeResult extends LargeJob {
  canopyVersion: string;
  parameters: number;
  /** Of the model's files, and of all shards. */
  fileBytes: number;
  shardBytes: number;
  multiplyAdds: number;
  /** Of the process that plans: processor seconds, and the most memory it had. */
  planning: { cpuSeconds: number; peakBytes: number };
  upload: { chunks: number; rounds: number; roundsOfBandwidth: number };
  /** For the prompt: of all messages, pages included. */
  instructions: { workers: number; pages: number; coordinator: number };
  rounds: number;
  /** Of each worker. */
  heapBytes: number[];
  /** Cycles that creating, installing, uploading and loading took. */
  deployCycles: number;
  /** Cycles for 30 days of storage, by profile. */
  monthCycles: Partial<Record<ProfileName, number>>;
  /** From what onnxruntime gives for the model's file. */
  difference: { largest: number; magnitude: number; cosine: number };
}

export function jobKey({ shape, weights, workers, tokens }: LargeJob): string {
  return `${shape} ${weights}, ${workers} workers, ${tokens} tokens`;
}
