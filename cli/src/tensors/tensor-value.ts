import type { BundleTensor } from '@canopy/protocol';

/** A tensor without a name. */
export type TensorValue = Pick<BundleTensor, 'dtype' | 'dims' | 'data'>;
