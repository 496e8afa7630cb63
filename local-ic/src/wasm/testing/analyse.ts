import { FlowAnalysis } from '../instrument/flow-analysis.js';
import { FunctionCode } from '../instrument/function-code.js';
import { parseModule, type ParsedModule } from '../module-format.js';
import { assemble } from './assemble.js';

/** A module in text form and the analysis of its first function. */
export function analyse(text: string): {
  module: ParsedModule;
  code: FunctionCode;
  flow: FlowAnalysis;
  parameters: number;
} {
  const module = parseModule(assemble(text));
  const { types, functionTypes, importedFunctions } = module;
  const type = types[functionTypes[importedFunctions]!]!;
  const code = new FunctionCode();
  code.decode(module.bytes, module.bodies[0]!);
  const flow = new FlowAnalysis(module.bytes);
  const memory64 = module.memories[0]?.memory64 ?? false;
  flow.analyse(code, type, { types, functionTypes, memory64 });
  return { module, code, flow, parameters: type.params.length };
}
