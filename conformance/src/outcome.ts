/** How a case went. `unsupported`: it was refused, which is no wrong result. */
export type Status = 'passed' | 'failed' | 'unsupported';

export interface Outcome {
  name: string;
  /** Operators of the model's nodes. */
  operators: readonly string[];
  status: Status;
  /** Why it has not passed; empty where it has. */
  why: string;
  /** Operators that are missing, where it is unsupported. */
  missing: readonly string[];
  /** Whether onnxruntime gives the expected outputs. */
  reference: boolean;
}
