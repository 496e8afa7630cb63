import { operatorForms } from '@canopy/partitioner/operators';
import { CommandError } from '../errors.js';
import { table, toJson, type Output } from '../output.js';

/** `canopy operators [NAME...]`: which ONNX operators workers run, and in which forms. */
export function operatorsCommand(names: readonly string[], output: Output): void {
  const unknown = names.filter((name) => !(name in operatorForms));
  if (unknown.length > 0) {
    throw new CommandError(
      `not supported: ${unknown.join(', ')} ("canopy operators" lists what is; names are those of ONNX, ` +
        'upper and lower case as there)',
    );
  }
  const shown = Object.entries(operatorForms)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .sort(([one], [other]) => one.localeCompare(other, 'en'))
    .map(([operator, { types, limits }]) => ({ operator, types, limits }));
  if (output.json) {
    output.print(toJson(shown));
    return;
  }
  output.print(
    table(
      ['operator', 'types', 'limits'],
      shown.map(({ operator, types, limits }) => [operator, types.join(', '), limits]),
    ),
  );
  output.note(
    '\nFunctions that a model defines are put in the place of their calls; their operators count. ' +
      'What does not depend on an input is computed when planning, whatever its operators are; ' +
      '"canopy plan MODEL" names all that a model has and workers do not run.',
  );
}
