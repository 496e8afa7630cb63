/** What seeds are run on: models, cut in one way or another. */
export interface Shape {
  name: string;
  model: 'digits-cnn' | 'resnet-tiny' | 'bert-tiny';
  workers: number;
  pipelines: number;
  microBatchRows: number;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
  /** Requests of a seed, shared out to its callers. */
  requests: number;
  /** Most rows of a request. */
  mostRows: number;
}

const digits = { model: 'digits-cnn', microBatchRows: 2, requests: 24, mostRows: 6 } as const;
const resnet = { model: 'resnet-tiny', microBatchRows: 1, requests: 12, mostRows: 3 } as const;
const bert = { model: 'bert-tiny', microBatchRows: 2, requests: 8, mostRows: 3 } as const;
const one = { workers: 3, pipelines: 1 } as const;
const two = { workers: 4, pipelines: 2 } as const;

export const shapes: readonly Shape[] = [
  { name: 'digits', ...digits, ...one, resultsStay: false },
  { name: 'digits-two', ...digits, ...two, resultsStay: false },
  { name: 'digits-stay', ...digits, ...one, resultsStay: true },
  { name: 'digits-two-stay', ...digits, ...two, resultsStay: true },
  { name: 'resnet', ...resnet, ...one, resultsStay: false },
  { name: 'resnet-two-stay', ...resnet, ...two, resultsStay: true },
  { name: 'bert', ...bert, ...one, resultsStay: false },
  { name: 'bert-two-stay', ...bert, ...two, resultsStay: true },
];
