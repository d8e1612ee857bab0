// The `venom` command: reads the arguments, runs one command, turns failures into one line and an exit code.
import { Command, Option } from 'commander';
import { toAppError } from '../shared/errors.js';
import { addBackupCommands } from './backup-commands.js';
import { addChatCommands } from './chat-commands.js';
import { CommandContext } from './command-context.js';
import { type ChatOptions, chat } from './commands/chat.js';
import { doctor } from './commands/doctor.js';
import { evaluateIntents } from './commands/eval.js';
import { installGpu } from './commands/gpu.js';
import { releaseLabels, showLabels } from './commands/labels.js';
import { logs } from './commands/logs.js';
import { exportSession, listSessions } from './commands/sessions.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { addMcpCommands } from './mcp-commands.js';
import { addModelCommands } from './model-commands.js';
import { addRoutingCommands } from './routing-commands.js';
import { addSkillCommands } from './skill-commands.js';
import { Terminal } from './terminal.js';

const program = new Command('venom')
  .description('Language models on your own machine, and the chat on top of them')
  .option('--json', 'print one JSON document instead of text')
  .showHelpAfterError()
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 asked wrongly, 3 not running, 130 interrupted.')
  // Inherited by every command: what commander refuses is wrong usage.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.usage));

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

addModelCommands(program, context);

const sessions = program.command('sessions').description('what was said');
sessions
  .command('list', { isDefault: true })
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
sessions
  .command('labels')
  .description('what keeps a session with local models, where it was found, and what was taken off')
  .argument('<id>')
  .action((id: string) => showLabels(context(), id));
sessions
  .command('release')
  .description('take privacy labels off a session; the reason is kept beside its receipts')
  .argument('<id>')
  .requiredOption('--reason <text>', 'why its texts may leave from now on')
  .option('-l, --label <label...>', 'only these; all of them otherwise')
  .action((id: string, options: { reason: string; label?: string[] }) => releaseLabels(context(), id, options));

addBackupCommands(program, context);
addChatCommands(program, context);
addMcpCommands(program, context);
addRoutingCommands(program, context);
addSkillCommands(program, context);

program
  .command('gpu')
  .description('the CUDA build of the embedded runtime')
  .command('install')
  .description('fetch it (about 600 MB)')
  .action(() => installGpu(context()));
program
  .command('eval')
  .description('how well wishes are understood, on the labelled utterances; exits with 1 below 95 %')
  .option('--file <path>', 'other utterances, one JSON object per line')
  .action((options: { file?: string }) => evaluateIntents(terminal(), options));
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
  else terminal().note(`venom: ${reason}`);
  process.exitCode = exitCodeOf(error.code);
}
