import * as protocol from '@canopy/protocol';

/** Tables of @canopy/protocol that become namespaces of u32 constants. */
const tables = [
  'DType',
  'OpCode',
  'Activation',
  'UnaryKind',
  'BinaryKind',
  'PostTransform',
  'ClassRule',
  'TreeAggregate',
  'TreeMode',
  'ReduceKind',
  'GridMode',
  'GridPadding',
  'PadMode',
  'FloatClass',
  'PoolKind',
  'RecurrentCell',
  'QuantizedBinaryKind',
  'SamePad',
  'ResizeCoordinates',
  'ResizeMode',
  'ResizeNearest',
  'ResizePolicy',
  'ScatterReduction',
  'WorkerState',
  'EnqueueMode',
  'ResultStatus',
  'RunEnd',
  'WorkerCaller',
];
/** Numbers of @canopy/protocol that become constants of the same name. */
const numbers = [
  'panelChannels',
  'integerPiece',
  'int8DepthUnit',
  'int4Block',
  'int4BlockBytes',
  'integerSumDepth',
  'mostDepthwiseWeights',
  'integerChannels',
  'maxRank',
  'maxSpatialRank',
  'bundleMagic',
  'configurationMagic',
  'maxConfigurationBytes',
  'principalFieldBytes',
  'shardMagic',
  'shardVersion',
  'shardHeaderBytes',
  'weightsAlignment',
  'weightAlignment',
  'maxStageInputs',
  'absentValue',
  'stageTraceBytes',
  'singleRows',
  'depthPiece',
  'linearBlockFloats',
  'linearMinBlockRows',
  'linearMaxBlockRows',
  'linearPiece',
  'linearMinDepth',
  'linearChannels',
  'matMulBlockFloats',
  'matMulMinBlockRows',
  'taskHeaderBytes',
  'taskPartBytes',
  'partResultHeaderBytes',
  'traceCountAt',
  'enqueueHeaderBytes',
  'runHeaderBytes',
  'maxRunsOfCall',
  'endedRunBytes',
  'maxBatchesOfRun',
  'maxPartsOfTask',
  'entryLengthBytes',
  'listHeaderBytes',
  'maxMessageBytes',
  'maxStageMessageBytes',
  'reservedGigacycles',
  'floorGigacycles',
];

/** Stands for the length of a chunk in a method's longest argument. */
const wholeChunk = 0xffff_ffff;

/** Who may call which method, for the methods themselves and, by name, for the check of messages from outside. */
function methodLines() {
  const methods = Object.entries(protocol.workerMethods);
  const lines = [
    '',
    '/** Who may call a method: a `WorkerCaller`. */',
    'export namespace CallerOf {',
  ];
  for (const [name, { caller }] of methods) {
    lines.push(`  export const ${name}: u32 = ${protocol.WorkerCaller[caller]};`);
  }
  lines.push('}', '', 'function isText(bytes: usize, length: usize, text: string): bool {');
  lines.push('  if (length != <usize>text.length) return false;');
  lines.push('  for (let i: usize = 0; i < length; i++) {');
  lines.push('    if (<i32>load<u8>(bytes + i) != text.charCodeAt(<i32>i)) return false;');
  lines.push('  }', '  return true;', '}', '');
  lines.push(`export const wholeChunk: u32 = ${wholeChunk};`);
  lines.push('/** Who may call the method of that name; nobody where there is none. */');
  lines.push('export function callerOfMethod(name: usize, length: usize): u32 {');
  for (const [name] of methods) {
    lines.push(`  if (isText(name, length, '${name}')) return CallerOf.${name};`);
  }
  lines.push('  return WorkerCaller.nobody;', '}', '');
  lines.push('/** Longest argument from outside in bytes; `wholeChunk` stands for a chunk. */');
  lines.push('export function argumentBytesOfMethod(name: usize, length: usize): u32 {');
  for (const [name, { argumentBytes }] of methods) {
    if (argumentBytes === 0) continue;
    const bytes = argumentBytes === 'chunk' ? 'wholeChunk' : argumentBytes;
    lines.push(`  if (isText(name, length, '${name}')) return ${bytes};`);
  }
  lines.push('  return 0;', '}');
  return lines;
}

/** AssemblyScript source of the constants that worker and protocol share. */
export function constantsSource() {
  const lines = ['// Written by scripts/build.mjs from @canopy/protocol. Do not edit.', ''];
  for (const name of numbers) lines.push(`export const ${name}: u32 = ${protocol[name]};`);
  for (const table of tables) {
    lines.push('', `export namespace ${table} {`);
    for (const [name, value] of Object.entries(protocol[table])) {
      lines.push(`  export const ${name}: u32 = ${value};`);
    }
    lines.push('}');
  }
  lines.push('', '/** Names of operators and types, for texts. */');
  for (const [what, table] of [
    ['opName', protocol.OpCode],
    ['dtypeName', protocol.DType],
  ]) {
    lines.push(`export function ${what}(code: u32): string {`, '  switch (code) {');
    for (const [name, value] of Object.entries(table)) {
      lines.push(`    case ${value}: return '${name}';`);
    }
    lines.push(`    default: return 'unknown';`, '  }', '}');
  }
  lines.push(...methodLines());
  lines.push('', '/** Codes that stand in front of a rejection, as `[code] text`. */');
  lines.push('export namespace CanisterError {');
  for (const [name, { code }] of Object.entries(protocol.CanisterError)) {
    lines.push(`  export const ${name}: string = '${code}';`);
  }
  lines.push('}', '');
  return lines.join('\n');
}
