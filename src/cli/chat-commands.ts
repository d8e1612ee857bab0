// The arguments of the commands about chat: ask, tasks, queue, trace, memory, translate, intents.
import { type Command, Option } from 'commander';
import { INTENTS } from '../chat/intent.js';
import { TRACE_STATUSES } from '../contract/history.js';
import type { CommandContext } from './command-context.js';
import { type AskOptions, ask } from './commands/ask.js';
import { decidePhrase, listPhrases } from './commands/intents.js';
import {
  addFiles,
  addMemory,
  exportMemory,
  forgetMemory,
  listFiles,
  listMemory,
  type MemoryPlace,
  searchMemory,
} from './commands/memory.js';
import { changeQueue, queueStatus } from './commands/queue.js';
import { abortTask, listTasks, resumeTask, showTask } from './commands/tasks.js';
import { listTraces, showTrace } from './commands/traces.js';
import { type TranslateOptions, translate } from './commands/translate.js';

type Limited = { limit: string };
const limit = (fallback: string) => new Option('-n, --limit <number>', 'how many at most').default(fallback);
const session = () => new Option('-s, --session <id>', "this session's, instead of what is for all of them");

export function addChatCommands(program: Command, context: () => CommandContext): void {
  program
    .command('ask')
    .description('ask in one of the chat modes; complex shows its plan as it goes')
    .argument('[question...]', 'what to ask; text in a pipe is added to it')
    .addOption(
      new Option('--mode <mode>', 'direct asks the model, normal uses memory and tools, complex makes a plan')
        .choices(['direct', 'normal', 'complex'])
        .default('normal'),
    )
    .option('-s, --session <id>', 'go on with this session')
    .addOption(new Option('--language <code>', 'language of the answer').choices(['en', 'pl', 'de']))
    .action((question: string[], options: AskOptions) => ask(context(), question, options));

  const tasks = program.command('tasks').description('questions in Normal and Complex chat');
  tasks
    .command('list', { isDefault: true })
    .description('newest first')
    .addOption(limit('20'))
    .action((options: Limited) => listTasks(context(), options));
  tasks
    .command('show')
    .description('its state, what happened, and the result')
    .argument('<id>')
    .action((id: string) => showTask(context(), id));
  tasks
    .command('abort')
    .description('stop it while it runs; what waits is removed with `queue purge`')
    .argument('<id>')
    .action((id: string) => abortTask(context(), id));
  tasks
    .command('resume')
    .description('take up a task that was interrupted')
    .argument('<id>')
    .action((id: string) => resumeTask(context(), id));

  const queue = program.command('queue').description('what waits and what runs');
  queue
    .command('status', { isDefault: true })
    .description('paused or not, how many wait and run')
    .action(() => queueStatus(context()));
  for (const [name, change, about] of [
    ['pause', 'pause', 'start no further task'],
    ['resume', 'resume', 'go on'],
    ['purge', 'purge', 'remove what waits'],
    ['stop', 'emergency-stop', 'stop what runs, remove what waits, and pause'],
  ] as const)
    queue
      .command(name)
      .description(about)
      .action(() => changeQueue(context(), change));

  const trace = program.command('trace').description('what happened to a request');
  trace
    .command('list', { isDefault: true })
    .description('newest first')
    .addOption(limit('20'))
    .addOption(new Option('--status <status>', 'only these').choices(TRACE_STATUSES))
    .action((options: Limited & { status?: string }) => listTraces(context(), options));
  trace
    .command('show')
    .description('step by step')
    .argument('<id>')
    .option('--mermaid', 'as a sequence diagram')
    .action((id: string, options: { mermaid?: boolean }) => showTrace(context(), id, options));

  addMemoryCommands(program, context);

  program
    .command('translate')
    .description('translate a text, or what is in the pipe')
    .argument('[text...]')
    .requiredOption('--to <code>', 'into this language')
    .option('--from <code>', 'out of this one; found out otherwise')
    .action((text: string[], options: TranslateOptions) => translate(context(), text, options));

  const review = program
    .command('intents')
    .description('how wishes are understood')
    .command('review')
    .description('wordings that models proposed; used only after they were approved');
  review
    .command('list', { isDefault: true })
    .addOption(
      new Option('--state <state>', 'which').choices(['proposed', 'approved', 'rejected', 'all']).default('proposed'),
    )
    .addOption(limit('50'))
    .action((options: Limited & { state: string }) => listPhrases(context(), options));
  review
    .command('approve')
    .argument('<id>')
    .addOption(new Option('--intent <intent>', 'correct the proposal').choices(INTENTS))
    .action((id: string, options: { intent?: string }) => decidePhrase(context(), id, 'approve', options.intent));
  review
    .command('reject')
    .argument('<id>')
    .action((id: string) => decidePhrase(context(), id, 'reject'));
}

function addMemoryCommands(program: Command, context: () => CommandContext): void {
  const memory = program.command('memory').description('what is remembered beyond a conversation');
  memory
    .command('list', { isDefault: true })
    .description('newest first')
    .addOption(limit('50'))
    .addOption(session())
    .action((options: MemoryPlace & Limited) => listMemory(context(), options));
  memory
    .command('search')
    .description('by words and by meaning')
    .argument('<words...>')
    .addOption(limit('5'))
    .addOption(session())
    .action((words: string[], options: MemoryPlace & Limited) => searchMemory(context(), words, options));
  memory
    .command('add')
    .description('remember a text, or what is in the pipe')
    .argument('[text...]')
    .addOption(session())
    .action((words: string[], options: MemoryPlace) => addMemory(context(), words, options));
  memory
    .command('forget')
    .description('delete one entry and its vectors')
    .argument('<id>')
    .action((id: string) => forgetMemory(context(), id));
  memory
    .command('export')
    .description('everything, one JSON object a line')
    .option('-o, --output <file>', 'write it there instead of to the terminal')
    .addOption(session())
    .action((options: MemoryPlace & { output?: string }) => exportMemory(context(), options));
  const files = memory.command('files').description('files that became knowledge');
  files
    .command('list', { isDefault: true })
    .addOption(limit('50'))
    .addOption(session())
    .action((options: MemoryPlace & Limited) => listFiles(context(), options));
  files
    .command('add')
    .description('read files, cut them up, remember the pieces with their places')
    .argument('<file...>')
    .addOption(session())
    .action((paths: string[], options: MemoryPlace) => addFiles(context(), paths, options));
}
