/** Steps of a deployment, in order. */
export type DeployStep = 'look' | 'create' | 'install' | 'upload' | 'load' | 'register';

/** Told while a deployment goes on. Counts are of the whole step. */
export interface DeployProgress {
  step: DeployStep;
  /** Canisters, or bytes in the step `upload`. */
  done: number;
  total: number;
  /** What was just done, for people. */
  detail: string;
}

export type OnProgress = (progress: DeployProgress) => void;
