export { PartitionError, type PartitionErrorCode } from './error.js';
export { describePlan, formatPlan, type PlanRow } from './format-plan.js';
export { planModel, type PlannedModel, type PlanOptions } from './plan-model.js';
export type { CostScheduleName } from './cost/model.js';
export { writeOnnx } from './onnx/write-model.js';
export { floatConstant, intConstant } from './graph/constant.js';
export { makeNode, type Attribute, type Graph } from './graph/graph.js';
export type { Expectation } from './cut/expectation.js';
