// venom backup, venom restore.
import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { createBackup, listOfBackups, removeOneBackup, restore } from './commands/backup.js';

export function addBackupCommands(program: Command, context: () => CommandContext): void {
  const backup = program.command('backup').description('copies of what was said and set, made while Venom is in use');
  backup
    .command('create', { isDefault: true })
    .description('make one now')
    .option('-o, --output <file>', 'write it there too, best on another disk')
    .action((options: { output?: string }) => createBackup(context(), options));
  backup
    .command('list')
    .description('newest first')
    .action(() => listOfBackups(context()));
  backup
    .command('remove')
    .description('delete one')
    .argument('<name>')
    .action((name: string) => removeOneBackup(context(), name));
  program
    .command('restore')
    .description('put a backup in the place of what is there, which is kept; Venom must be stopped')
    .argument('<backup>', 'its name, as `venom backup list` shows it, or a file')
    .action((name: string) => restore(context(), name));
}
