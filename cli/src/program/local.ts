/** Commands about the local IC. What they do is loaded when they run. */
import type { Command } from 'commander';
import { CommandError } from '../errors.js';
import { parsePort } from '../options.js';
import type { Output } from '../output.js';
import { parser } from './options.js';

export function addLocalCommands(program: Command, output: () => Output): void {
  const local = program.command('local').description('an Internet Computer on this machine');
  local
    .command('start')
    .description('start it in the background')
    .option('--port <port>', 'port for agents (default: any free one)', parser(parsePort))
    .option(
      '--no-system-canisters',
      'without cycles ledger, cycles minting canister and ICP ledger, which icp and canister creation need',
    )
    .addHelpText('after', "\nPOCKET_IC_BIN names another server that speaks PocketIC's interface.")
    .action(async (flags: { port?: number; systemCanisters: boolean }) => {
      const { localStart } = await import('../commands/local.js');
      await localStart(flags, output());
    });
  local
    .command('stop')
    .description('stop it; what was deployed there is gone')
    .action(async () => {
      const { localStop } = await import('../commands/local.js');
      await localStop(output());
    });
  local
    .command('status')
    .description('tell whether it runs; exit code 1 where it does not')
    .action(async () => {
      const { localStatus } = await import('../commands/local.js');
      if (!(await localStatus(output()))) throw new CommandError('');
    });
}
