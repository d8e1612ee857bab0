// The words of `venom mcp`.
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import {
  approve,
  callTool,
  changeServer,
  discardPlan,
  exportServers,
  type ImportOptions,
  importServer,
  listPlans,
  listServers,
  listTools,
  mcpDoctor,
  removeServer,
  serverLogs,
  storeSecret,
  trustTool,
  updateServer,
} from './commands/mcp.js';
import { listDefinitions } from './commands/mcp-definitions.js';
import { type LoginOptions, logIn, logOut } from './commands/mcp-login.js';
import { type McpServeOptions, serveMcp } from './commands/mcp-serve.js';

const collect = (value: string, all: string[]): string[] => [...all, value];

export function addMcpCommands(program: Command, context: () => CommandContext): void {
  const mcp = program.command('mcp').description('MCP servers and their tools; alone, Venom as an MCP server');
  mcp
    .command('serve', { isDefault: true })
    .description('speak MCP on stdin and stdout, for clients that start a program; the server must run')
    .option('--start', 'start the server where it does not run')
    .option('--server <name>', 'an imported MCP server, or `all` of them, instead of the tools of Venom')
    .action((options: McpServeOptions) => serveMcp(context(), options));
  mcp
    .command('import')
    .description('fetch a server and show what it would do; nothing of it runs before you agree')
    .argument(
      '<source>',
      'a Git address, npm:NAME[@VERSION], pypi:NAME[==VERSION], an http(s) address, a bundle (.mcpb), or a configuration file',
    )
    .argument('[name]', 'how it is called here')
    .option('--ref <name>', 'branch, tag or commit')
    .option('--entrypoint <command>', 'how it starts, such as "python server.py", or which of its programs')
    .option('--ignore-lock', 'of a repository: install what it allows, not what its lock file names')
    .option('--arg <word>', "an argument of a package's program; {workspace} is its own folder", collect, [])
    .option('--env <NAME=VALUE>', 'a variable it gets; {workspace} is its own folder', collect, [])
    .option('--secret <NAME=SECRET>', 'a variable or header it gets from a stored secret', collect, [])
    .option('--set <NAME=VALUE>', 'an answer to what a bundle asks for; again for several values', collect, [])
    .option('--set-secret <NAME=SECRET>', 'the same by a stored secret, where it is sensitive', collect, [])
    .option('--network', 'it may reach the network')
    .option('--read <folder>', 'a folder it may read', collect, [])
    .option('--write <folder>', 'a folder it may change', collect, [])
    .option('--trusted', 'you vouch for it')
    .option('--allow-plain', 'it may run where nothing isolates it')
    .option('--write-named', 'of a configuration file: folders that arguments name may be changed, not only read')
    .option('--keep-secrets', 'of a configuration file: values that look secret are stored as secrets')
    .option('--allow-private', 'a remote server may lie in a private network')
    .option('-y, --yes', 'agree to what is found')
    .action((source: string, name: string | undefined, options: ImportOptions) =>
      importServer(context(), source, name, options),
    );
  mcp
    .command('plans')
    .description('imports that wait for you')
    .action(() => listPlans(context()));
  mcp
    .command('approve')
    .description('agree to a plan as it was shown')
    .argument('<plan>')
    .argument('<hash>')
    .action((plan: string, hash: string) => approve(context(), plan, hash));
  mcp
    .command('discard')
    .description('drop a plan')
    .argument('<plan>')
    .action((plan: string) => discardPlan(context(), plan));
  mcp
    .command('list')
    .description('servers, their state and tools')
    .action(() => listServers(context()));
  mcp
    .command('tools')
    .description("a server's tools, and what changed in them")
    .argument('<server>')
    .action((name: string) => listTools(context(), name));
  mcp
    .command('trust')
    .description('agree to a tool whose definition is new or has changed')
    .argument('<server>')
    .argument('<tool>')
    .argument('<hash>')
    .action((name: string, tool: string, hash: string) => trustTool(context(), name, tool, hash));
  mcp
    .command('definitions')
    .description('what a server offers beside tools: prompts, resources, instructions, and what changed in them')
    .argument('<server>')
    .option('--approve <hash>', 'agree to all that waits, exactly as it was shown')
    .action((name: string, options: { approve?: string }) => listDefinitions(context(), name, options));
  mcp
    .command('call')
    .description('call a tool by hand')
    .argument('<tool>', 'such as weather__forecast')
    .argument('[input]', 'JSON', '{}')
    .action((tool: string, input: string) => callTool(context(), tool, input));
  mcp
    .command('logs')
    .description('what a server complained of')
    .argument('<server>')
    .action((name: string) => serverLogs(context(), name));
  for (const [change, description] of [
    ['enable', 'let it be used'],
    ['disable', 'end it and let it not be used'],
    ['restart', 'end it; the next call starts it anew, also after a crash loop'],
    ['refresh', 'list its tools anew'],
    ['rollback', 'go back to the version before'],
  ] as const)
    mcp
      .command(change)
      .description(description)
      .argument('<server>')
      .action((name: string) => changeServer(context(), name, change));
  mcp
    .command('login')
    .description('log in at a remote server that wants it, with a browser')
    .argument('<server>')
    .option('--client-id <id>', 'a client you registered there by hand')
    .option('--client-secret <secret>', 'name of the stored secret of that client')
    .option('--scope <scopes>', 'what to ask for, where the server does not say')
    .action((name: string, options: LoginOptions) => logIn(context(), name, options));
  mcp
    .command('logout')
    .description('give up the login at a remote server')
    .argument('<server>')
    .action((name: string) => logOut(context(), name));
  mcp
    .command('update')
    .description('look for a newer state of its source')
    .argument('<server>')
    .option('--ref <name>', 'branch, tag or commit; of a package, its version')
    .option('-y, --yes', 'agree to what is found')
    .action((name: string, options: { ref?: string; yes?: boolean }) => updateServer(context(), name, options));
  mcp
    .command('remove')
    .description('a server with its files')
    .argument('<server>')
    .action((name: string) => removeServer(context(), name));
  mcp
    .command('export')
    .description('the servers as configuration for other programs; secrets are named, not told')
    .addOption(
      new Option('--format <format>', 'for most programs, or for VS Code')
        .choices(['mcpServers', 'vscode'])
        .default('mcpServers'),
    )
    .action((options: { format?: string }) => exportServers(context(), options));
  mcp
    .command('doctor')
    .description('isolation, programs, and what is wrong')
    .action(() => mcpDoctor(context()));
  mcp
    .command('secret')
    .description('store a secret; its value comes by a pipe')
    .argument('<name>')
    .action((name: string) => storeSecret(context(), name));
}
