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
import {
  activateModel,
  adoptModel,
  type EngineOption,
  installModel,
  keepModel,
  listLoaded,
  listVersions,
  pinVersion,
  probeModel,
  removeModel,
  rollBackModel,
  searchModels,
  showFit,
  showModel,
  unloadModel,
  useModel,
  verifyModel,
} from './commands/model-life.js';
import { installStarter, listModels } from './commands/models.js';
import { changeOperation, followOne, listOperations } from './commands/operations.js';
import { listRuntimes, runtimeAction, runtimeLogs, runtimesHealth, useRuntime } from './commands/runtimes.js';
import { exportSession, listSessions } from './commands/sessions.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { addMcpCommands } from './mcp-commands.js';
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

const whichEngine = () => new Option('--runtime <name>', 'the engine, where two have a model of this name');
const models = program.command('models').description('the models this machine has');
models
  .command('list', { isDefault: true })
  .description('installed models; * marks the active one')
  .action(() => listModels(context()));
models
  .command('search')
  .description('find models at Hugging Face or in the Ollama library')
  .argument('<words...>')
  .addOption(new Option('-p, --provider <name>').choices(['huggingface', 'ollama']).default('huggingface'))
  .option('-n, --limit <number>', 'how many at most', '20')
  .action((words: string[], options: { provider: string; limit: string }) => searchModels(context(), words, options));
models
  .command('show')
  .description('what a model can do, as measured, and the parameters it runs with')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => showModel(context(), name, options));
models
  .command('install')
  .description('fetch a model: org/model[:quantization] from Hugging Face, name[:tag] through Ollama, or `starter`')
  .argument('<name>')
  .option('--path <file>', 'with `starter`: take it from this file instead of the internet')
  .option('--runtime <name>', 'llama-cpp, ollama or vllm; chosen by the name otherwise')
  .option('--provider <name>', 'huggingface, ollama, python-index or local; chosen by the name otherwise')
  .action((name: string, options: { path?: string; runtime?: string; provider?: string }) =>
    name === 'starter' ? installStarter(context(), options) : installModel(context(), name, options),
  );
models
  .command('fit')
  .description('will it run here? For an installed model, or one of Hugging Face before it is fetched')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => showFit(context(), name, options));
models
  .command('remove')
  .description('delete a model; never the active one')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => removeModel(context(), name, options));
models
  .command('use')
  .description('answer with this model from now on')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => useModel(context(), name, options));
models
  .command('activate')
  .description('try a model first, then answer with it; when the trial fails, nothing changes')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => activateModel(context(), name, options));
models
  .command('rollback')
  .description('back to the version that answered before')
  .action(() => rollBackModel(context()));
models
  .command('versions')
  .description('which version answered when')
  .action(() => listVersions(context()));
models
  .command('pin')
  .description('keep a version: it is neither removed nor rolled back by itself')
  .argument('<version>')
  .option('--off', 'let it go again')
  .action((version: string, options: { off?: boolean }) => pinVersion(context(), version, options));
models
  .command('adopt')
  .description(
    'use a model file of Ollama, LM Studio or the Hugging Face cache without copying it; lists them without an id',
  )
  .argument('[id]')
  .option('--name <name>', 'what to call it here')
  .action((id: string | undefined, options: { name?: string }) => adoptModel(context(), id, options.name));
models
  .command('verify')
  .description('is the file still what was installed?')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => verifyModel(context(), name, options));
models
  .command('probe')
  .description('ask it a few questions and keep what it can do; nothing is switched')
  .argument('<name>')
  .addOption(whichEngine())
  .action((name: string, options: EngineOption) => probeModel(context(), name, options));
models
  .command('ps')
  .description('models in memory')
  .action(() => listLoaded(context()));
models
  .command('keep')
  .description('how long an idle model stays in memory: -1, 0, 90s, 10m, 2h, or default')
  .argument('<name>')
  .argument('<time>')
  .addOption(whichEngine())
  .action((name: string, time: string, options: EngineOption) => keepModel(context(), name, time, options));
models
  .command('unload')
  .description('free the memory of one model, or of all')
  .argument('[name]')
  .addOption(whichEngine())
  .action((name: string | undefined, options: EngineOption) => unloadModel(context(), name, options));

const runtimes = program.command('runtimes').description('the engines that answer');
runtimes
  .command('list', { isDefault: true })
  .description('engines, their health, and whether Venom started them; * marks the active one')
  // The command for no command: what it cannot be is a word that is none.
  .allowExcessArguments()
  .action((_options: object, command: Command) => {
    const [word] = command.args;
    if (word !== undefined) runtimes.error(`error: unknown command '${word}'; see \`venom runtimes --help\``);
    return listRuntimes(context());
  });
runtimes
  .command('health')
  .description('ask every engine now; exits with 3 when the active one does not answer')
  .action(() => runtimesHealth(context()));
runtimes
  .command('use')
  .alias('switch')
  .description('answer with this engine; the old one serves until the new one is ready')
  .argument('<name>')
  .option('-m, --model <name>', 'with this model')
  .action((name: string, options: { model?: string }) => useRuntime(context(), name, options));
for (const action of ['start', 'stop', 'restart'])
  runtimes
    .command(action)
    .description(`${action} a model server on this machine`)
    .argument('<name>')
    .action((name: string) => runtimeAction(context(), name, action));
runtimes
  .command('logs')
  .description('what a server that was started here wrote last')
  .argument('<name>')
  .action((name: string) => runtimeLogs(context(), name));

const operations = program.command('operations').description('installations, activations and the like');
operations
  .command('list', { isDefault: true })
  .description('newest first')
  .option('-n, --limit <number>', 'how many at most', '20')
  .action((options: { limit: string }) => listOperations(context(), options));
operations
  .command('follow')
  .description('wait for its end and show how far it is')
  .argument('<id>')
  .action((id: string) => followOne(context(), id));
for (const change of ['cancel', 'retry'] as const)
  operations
    .command(change)
    .description(change === 'cancel' ? 'stop it; what it has is kept' : 'try again with what it has')
    .argument('<id>')
    .action((id: string) => changeOperation(context(), id, change));

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
  else process.stderr.write(`venom: ${reason}\n`);
  process.exitCode = exitCodeOf(error.code);
}
