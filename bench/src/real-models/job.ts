/** Child process of `npm run models`: runs one model, given as JSON, and tells its parent how it fared. */
import type { RealModel } from './catalogue.js';
import { runRealModel } from './run.js';

export interface RealModelJob {
  path: string;
  model: RealModel;
  workers: number;
}

const { path, model, workers } = JSON.parse(process.argv[2] ?? '') as RealModelJob;
process.send!(await runRealModel(path, model, workers));
process.disconnect();
