// The `venom` command: reads the arguments, runs one command, turns failures into one line and an exit code.
import { Argument, Command, Option } from 'commander';
import { toAppError } from '../shared/errors.js';
import { CommandContext } from './command-context.js';
import { type ChatOptions, chat } from './commands/chat.js';
import { doctor } from './commands/doctor.js';
import { installGpu } from './commands/gpu.js';
import { logs } from './commands/logs.js';
import { installStarter, listModels } from './commands/models.js';
import { exportSession, listSessions } from './commands/sessions.js';
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
program
  .command('stop')
  .description('stop it; running answers end first')
  .action(() => stop(context()));
program
  .command('status')
  .description('is it running, where, with which runtimes')
  .action(() => status(context()));
program
  .command('doctor')
  .description('look at everything Venom needs and say how to mend it')
  .action(() => doctor(process.env, terminal()));
program
  .command('chat')
  .description('ask a model; without a question, talk to it')
  .argument('[question...]', 'what to ask; text in a pipe is added to it')
  .option('-m, --model <name>', 'which model, else the active one')
  .option('-s, --session <id>', 'go on with this session')
  .option('--max-tokens <number>', 'longest answer')
  .option('--temperature <number>', '0 always gives the likeliest words')
  .action((question: string[], options: ChatOptions) => chat(context(), question, options));

const models = program.command('models').description('the models this machine has');
models
  .command('list')
  .description('installed models; * marks the active one')
  .action(() => listModels(context()));
models
  .command('install')
  .description('fetch a model; `starter` is the small one that makes a fresh installation answer')
  .addArgument(new Argument('<name>').choices(['starter']))
  .option('--path <file>', 'take it from this file instead of the internet')
  .action((_name: string, options: { path?: string }) => installStarter(context(), options));

const sessions = program.command('sessions').description('what was said');
sessions
  .command('list')
  .description('sessions, newest first')
  .option('-n, --limit <number>', 'how many at most', '50')
  .option('-q, --search <text>', 'only those that hold this text')
  .action((options: { limit: string; search?: string }) => listSessions(context(), options));
sessions
  .command('export')
  .description('one session as Markdown or JSON')
  .argument('<id>')
  .addOption(new Option('-f, --format <format>').choices(['markdown', 'json']).default('markdown'))
  .option('-o, --output <file>', 'write it there instead of to the terminal')
  .action((id: string, options: { format: string; output?: string }) => exportSession(context(), id, options));

program
  .command('gpu')
  .description('the CUDA build of the embedded runtime')
  .command('install')
  .description('fetch it (about 600 MB)')
  .action(() => installGpu(context()));
program
  .command('logs')
  .description("the end of the server's log")
  .option('-n, --lines <number>', 'how many lines', '100')
  .option('-f, --follow', 'go on with what is added')
  .action((options: { lines: string; follow?: boolean }) => logs(context(), options));

try {
  await program.parseAsync();
} catch (thrown) {
  const error = toAppError(thrown);
  const reason = error.code === 'internal' && thrown instanceof Error ? thrown.message : error.message;
  if (terminal().json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: reason } })}\n`);
  else process.stderr.write(`venom: ${reason}\n`);
  process.exitCode = 1;
}
