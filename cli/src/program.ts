import { Command } from 'commander';
import { exitCodes } from './exit-codes.js';
import { makeOutput, type Output } from './output.js';
import { addDeploymentCommands } from './program/deployments.js';
import { addLocalCommands } from './program/local.js';
import { addModelCommands } from './program/models.js';
import { version } from './version.js';

/**
 * The command line, without running it.
 *
 * @param signal aborted when the user interrupts the command
 */
export function makeProgram(signal: AbortSignal): Command {
  // Commands inherit these settings when they are added.
  const program = new Command('canopy')
    .description('Runs neural networks that are larger than one Internet Computer canister.')
    .version(version, '--version', 'print the release')
    .option('--json', 'print results as JSON')
    .option('--quiet', 'show no progress')
    .addHelpText('after', `\n${exitCodes}`)
    .showHelpAfterError('(canopy --help shows what is possible)')
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'canopy: '));
      },
    })
    .exitOverride();
  const output = (): Output =>
    makeOutput({ ...program.opts<{ json?: boolean; quiet?: boolean }>(), signal });
  addModelCommands(program, output);
  addDeploymentCommands(program, output);
  addLocalCommands(program, output);
  return program;
}
