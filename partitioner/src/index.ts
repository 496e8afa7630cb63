export { PartitionError, type PartitionErrorCode } from './error.js';
export { describePlan, formatPlan, type PlanRow } from './format-plan.js';
export { planModel, type PlannedModel, type PlanOptions } from './plan-model.js';
export type { CostScheduleName } from './cost/model.js';
