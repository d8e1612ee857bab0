// ProxyGenerator: a typed callable for each approved tool of a server, built at run time from the stored manifest. No source
// code is ever made of what a server says.
import type { ToolClaims, ToolDescriptor } from '../ports.js';
import type { Check } from './compile-schema.js';
import type { ServerRecord, StoredTool } from './server-definition.js';
import { isCallable } from './tool-inventory.js';
import { toolNames } from './tool-names.js';

export interface ToolProxy {
  descriptor: ToolDescriptor;
  server: string;
  /** As the server knows it. */
  tool: string;
  /** What is wrong with an input; null where nothing is. Compiled at its first use. */
  check: (value: unknown) => Promise<string | null>;
}

export interface ProxyFacts {
  /** It may carry what it is given out of the house. */
  egress: boolean;
}

export class ProxyGenerator {
  /** Only tools whose definition is the approved one. */
  generate({ name, title, trusted, active }: ServerRecord, { egress }: ProxyFacts): ToolProxy[] {
    const tools = active.manifest?.tools ?? [];
    // Names of all of them, so that an approval later does not rename its neighbours.
    const names = toolNames(
      name,
      tools.map(({ definition }) => definition.name),
    );
    return tools.flatMap((tool, index) => {
      const proxyName = names[index];
      return proxyName && isCallable(tool) ? [this.#proxy({ name, title }, proxyName, tool, { trusted, egress })] : [];
    });
  }

  #proxy(
    server: Pick<ServerRecord, 'name' | 'title'>,
    name: string,
    { definition, hash, permission }: StoredTool,
    { trusted, egress }: ProxyFacts & { trusted: boolean },
  ): ToolProxy {
    let compiled: Check | undefined;
    return {
      server: server.name,
      tool: definition.name,
      descriptor: {
        name,
        title: titleOf(definition),
        description: visible(definition.description ?? ''),
        inputSchema: definition.inputSchema,
        source: {
          kind: 'mcp',
          id: server.name,
          ...(server.title === server.name ? {} : { title: visible(server.title) }),
        },
        // A hint is the server's own word.
        readOnly: trusted && definition.annotations?.['readOnlyHint'] === true,
        egress,
        permission,
        claims: claimsOf(definition),
        hash,
      },
      check: async (value) => {
        try {
          compiled ??= (await import('./compile-schema.js')).compileSchema(definition.inputSchema);
        } catch (error) {
          return `the tool's own schema is wrong: ${(error as Error).message.slice(0, 200)}`;
        }
        return compiled(value);
      },
    };
  }
}

/** How people call it. */
export function titleOf({ name, title, annotations }: StoredTool['definition']): string {
  const said = title ?? annotations?.['title'];
  return (typeof said === 'string' && visible(said).trim()) || visible(name);
}

export function claimsOf({ annotations }: StoredTool['definition']): ToolClaims {
  const claim = (hint: string) => (typeof annotations?.[hint] === 'boolean' ? annotations[hint] : null);
  return {
    readOnly: claim('readOnlyHint'),
    destructive: claim('destructiveHint'),
    idempotent: claim('idempotentHint'),
    openWorld: claim('openWorldHint'),
  };
}

/** Without what a person would not see: control, direction and tag characters can hide words from the one who approves. */
const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : '',
  );
