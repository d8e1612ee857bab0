// Which tool or prompt of which server a joined name stands for. A server that cannot be asked is left out and hides nobody.
import type { ImportedServers, McpSession } from '../../../skills/mcp/ports.js';
import { toolNames } from '../../../skills/mcp/tool-names.js';

const ASK_MS = 20_000;
const MAX_NAMES = 5_000;

type Tool = Awaited<ReturnType<McpSession['listTools']>>['tools'][number];
type Prompt = Awaited<ReturnType<McpSession['listPrompts']>>['prompts'][number];

interface Joined<D> {
  server: string;
  /** As the server calls it. */
  name: string;
  /** Under its joined name. */
  definition: D;
}

export interface JoinedNames {
  tools: Map<string, Joined<Tool>>;
  prompts: Map<string, Joined<Prompt>>;
}

export async function joinNames(
  servers: Pick<ImportedServers, 'list'>,
  session: (server: string) => Promise<McpSession>,
  onFailure: (server: string, error: unknown) => void,
): Promise<JoinedNames> {
  const joined: JoinedNames = { tools: new Map(), prompts: new Map() };
  const usable = servers.list().filter(({ enabled, state }) => enabled && state !== 'crash_loop');
  const answers = await Promise.allSettled(usable.map(({ name }) => ask(name, session)));
  for (const [index, answer] of answers.entries()) {
    const server = usable[index]?.name ?? '';
    if (answer.status === 'rejected') {
      onFailure(server, answer.reason);
      continue;
    }
    add(joined.tools, server, answer.value.tools);
    add(joined.prompts, server, answer.value.prompts);
  }
  return joined;
}

/** Those of the servers somebody may use. */
export function usableNames({ tools, prompts }: JoinedNames, mayUse: (server: string) => boolean): JoinedNames {
  const usable = <D>(all: Map<string, Joined<D>>) => new Map([...all].filter(([, { server }]) => mayUse(server)));
  return { tools: usable(tools), prompts: usable(prompts) };
}

async function ask(name: string, session: (server: string) => Promise<McpSession>) {
  const options = { signal: AbortSignal.timeout(ASK_MS) };
  const opened = await session(name);
  const { tools, prompts } = opened.capabilities;
  const [listedTools, listedPrompts] = await Promise.all([
    tools ? opened.listTools(undefined, options) : { tools: [] },
    prompts ? opened.listPrompts(undefined, options) : { prompts: [] },
  ]);
  return { tools: listedTools.tools, prompts: listedPrompts.prompts };
}

function add<D extends { name: string; title?: string | undefined }>(
  to: Map<string, Joined<D>>,
  server: string,
  definitions: readonly D[],
): void {
  const names = toolNames(
    server,
    definitions.map(({ name }) => name),
  );
  for (const [index, definition] of definitions.entries()) {
    const name = names[index];
    if (!name || to.has(name) || to.size >= MAX_NAMES) continue;
    to.set(name, {
      server,
      name: definition.name,
      definition: { ...definition, name, title: `${definition.title ?? definition.name} (${server})` },
    });
  }
}
