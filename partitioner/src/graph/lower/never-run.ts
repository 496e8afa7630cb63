/** Why an operator is not run, and what the model's owner can do. */
export interface Refusal {
  why: string;
  advice: string;
}

const random: Refusal = {
  why: 'draws random numbers, and replicas must come to the same result',
  advice: 'give them to the model as an input, or leave it out when exporting for inference',
};
const text: Refusal = {
  why: 'works on text, and workers hold numbers alone',
  advice: 'leave text to the program that asks the model',
};
const containers: Refusal = {
  why: 'works on sequences, maps or optional values, and workers hold tensors alone',
  advice: 'export the model with tensors (scikit-learn: zipmap=False)',
};

function each(refusal: Refusal, ...operators: string[]): [string, Refusal][] {
  return operators.map((op) => [op, refusal]);
}

const refusals: ReadonlyMap<string, Refusal> = new Map([
  ...each(random, 'Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike'),
  ...each(random, 'RandomUniform', 'RandomUniformLike'),
  ...each(text, 'RegexFullMatch', 'StringConcat', 'StringNormalizer', 'StringSplit'),
  ...each(text, 'TfIdfVectorizer', 'ai.onnx.ml.CategoryMapper'),
  ...each(containers, 'ConcatFromSequence', 'Optional', 'OptionalGetElement'),
  ...each(containers, 'OptionalHasElement', 'SequenceAt', 'SequenceConstruct', 'SequenceEmpty'),
  ...each(containers, 'SequenceErase', 'SequenceInsert', 'SequenceLength', 'SequenceMap'),
  ...each(containers, 'SplitToSequence', 'ai.onnx.ml.CastMap', 'ai.onnx.ml.DictVectorizer'),
  ...each(containers, 'ai.onnx.ml.ZipMap'),
]);

const unknown: Refusal = {
  why: 'this operator is not supported',
  advice: 'replace it by supported operators when exporting',
};

/** Why an operator that no worker runs is refused. */
export function refusalOf(op: string): Refusal {
  return refusals.get(op) ?? unknown;
}
