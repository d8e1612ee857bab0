// The `venom` command: reads the arguments, runs one command, turns failures into one line and an exit code.
import { Command } from 'commander';
import { toAppError } from '../shared/errors.js';
import { CommandContext } from './command-context.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { Terminal } from './terminal.js';

const program = new Command('venom')
  .description('Language models on your own machine, and the chat on top of them')
  .option('--json', 'print one JSON document instead of text')
  .showHelpAfterError();

const terminal = () => new Terminal(program.opts<{ json?: boolean }>().json === true);
const context = () => new CommandContext(process.env, terminal());

program
  .command('start')
  .description('start the server in the background and print its address')
  .option('--no-wait', 'do not wait for the starter model')
  .action((options: { wait: boolean }) => start(context(), options));
program.command('stop').description('stop it; running answers end first').action(() => stop(context()));
program.command('status').description('is it running, where, with which runtimes').action(() => status(context()));

try {
  await program.parseAsync();
} catch (thrown) {
  const error = toAppError(thrown);
  const reason = error.code === 'internal' && thrown instanceof Error ? thrown.message : error.message;
  if (terminal().json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: reason } })}\n`);
  else process.stderr.write(`venom: ${reason}\n`);
  process.exitCode = 1;
}
