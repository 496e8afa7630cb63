export {
  PartitionError,
  type PartitionErrorCode,
  type PartitionErrorDetails,
  type Problem,
} from './error.js';
export { describePlan, formatPlan, type PlanRow } from './format-plan.js';
export type { WeightBlock, WeightType } from './graph/quantize-weights.js';
export { planModel, type PlannedModel, type PlanOptions } from './plan-model.js';
export type { CostScheduleName } from './cost/model.js';
export { writeOnnx } from './onnx/write-model.js';
export {
  fileConstant,
  floatConstant,
  intConstant,
  memoryConstant,
  type Constant,
} from './graph/constant.js';
export { makeNode, type Attribute, type Graph } from './graph/graph.js';
export { nameDimensions } from './graph/shapes/open-dimensions.js';
export { predictLoad, type RequestLoad } from './cut/predict-load.js';
export type { LoadOutcome } from './cut/simulate/messages.js';
export { requestsPerLane, type ExpectedLoad, type Expectation } from './cut/expectation.js';
export type { WeightSizes } from './weight-sizes.js';
