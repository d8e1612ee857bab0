// The arguments of the commands about who answers: route, providers, cost, receipts.
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import { releaseLabels, showLabels } from './commands/labels.js';
import { listProviders, removeProviderKey, setProviderKey } from './commands/providers.js';
import {
  costMode,
  type ExplainOptions,
  explainRoute,
  resetPolicy,
  setPolicy,
  showPolicy,
  showReceipts,
} from './commands/routing.js';

export function addRoutingCommands(program: Command, context: () => CommandContext): void {
  const route = program.command('route').description('who answers, and why');
  route
    .command('explain')
    .description('where a question would go; nothing is asked and nothing is sent')
    .argument('[question...]')
    .addOption(new Option('--mode <mode>').choices(['direct', 'normal', 'complex', 'background']))
    .option('--task-type <type>', 'such as CHAT, CODING_COMPLEX, RESEARCH, SENSITIVE')
    .option('-s, --session <id>', 'as a turn of this session')
    .option('-m, --model <name>', 'with this model wanted')
    .action((question: string[], options: ExplainOptions) => explainRoute(context(), question, options));
  const policy = route.command('policy').description('the tree that decides');
  policy
    .command('show', { isDefault: true })
    .description('the tree in force')
    .action(() => showPolicy(context()));
  policy
    .command('set')
    .description('decide by this tree from now on')
    .argument('<file>', 'JSON or YAML; - is a pipe')
    .action((path: string) => setPolicy(context(), path));
  policy
    .command('reset')
    .description('back to what AI_MODE says')
    .action(() => resetPolicy(context()));

  const providers = program.command('providers').description('engines and clouds');
  providers
    .command('list', { isDefault: true })
    .description('state, and where a key comes from; * marks the active one')
    .action(() => listProviders(context()));
  const key = providers.command('key').description("a cloud's key");
  key
    .command('set')
    .description('keep a key; it is asked for, or read from a pipe')
    .argument('<provider>', 'openai, google or cloud-compatible')
    .action((provider: string) => setProviderKey(context(), provider));
  key
    .command('remove')
    .argument('<provider>')
    .action((provider: string) => removeProviderKey(context(), provider));

  const cost = program.command('cost').description('whether answers may cost money, and how much they did');
  cost.command('show', { isDefault: true }).action(() => costMode(context(), undefined));
  for (const change of ['on', 'off'] as const)
    cost
      .command(change)
      .description(change === 'on' ? 'allow paid answers' : 'answers stay free')
      .action(() => costMode(context(), change));

  program
    .command('receipts')
    .description('of each answer of a session: who was asked, what left this machine, what it cost, why')
    .argument('<session>')
    .action((session: string) => showReceipts(context(), session));

  const labels = program.command('labels').description('what keeps a session with local models');
  labels
    .command('show', { isDefault: true })
    .description('what is in force, where it was found, and what was taken off')
    .argument('<session>')
    .action((session: string) => showLabels(context(), session));
  labels
    .command('release')
    .description('take privacy labels off; the reason is kept beside the receipts')
    .argument('<session>')
    .requiredOption('--reason <text>', 'why its texts may leave from now on')
    .option('-l, --label <label...>', 'only these; all of them otherwise')
    .action((session: string, options: { reason: string; label?: string[] }) =>
      releaseLabels(context(), session, options),
    );
}
