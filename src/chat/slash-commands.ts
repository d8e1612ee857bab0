// What somebody forces at the beginning of a message. Pure; parsed only where the request itself forces nothing.
import { SLASH_COMMANDS, type SlashCommand } from '../contract/slash-commands.js';
import { INTENTS, type IntentId } from './intent.js';
import type { SlashCommands } from './task-ports.js';

export interface SlashParse {
  /** Without the commands. */
  text: string;
  tool: string | null;
  provider: 'openai' | 'google' | null;
  /** The tool's. */
  intent: IntentId | null;
  /** Forget the session first, then go on with `text`. */
  reset: boolean;
  /** Commands nobody knows, as typed; they are taken out of the text and should be told to the person. */
  unknown: string[];
}

/** A command ends at white space or the end, so that `/etc/hosts` stays a path. */
const LEADING = /^\s*([/@])([A-Za-z0-9_-]+)(?=\s|$)\s*/;
const MOST_COMMANDS = 8;
const BY_ID: ReadonlyMap<string, SlashCommand> = new Map(
  (SLASH_COMMANDS as readonly SlashCommand[]).flatMap((command) =>
    [command.id, ...(command.aliases ?? [])].map((id) => [id, command] as const),
  ),
);

/** Commands may follow each other: `/clear /gpt /git status`. A second tool or provider is part of the text. */
export function parseSlashCommands(content: string): SlashParse {
  const parse: SlashParse = { text: content, tool: null, provider: null, intent: null, reset: false, unknown: [] };
  for (let count = 0; count < MOST_COMMANDS; count += 1) {
    const [whole, sign, id] = parse.text.match(LEADING) ?? [];
    if (whole === undefined || id === undefined) break;
    const command = BY_ID.get(id);
    if (sign === '@') {
      if (command?.kind !== 'provider' || parse.provider) break;
      parse.provider = command.provider;
    } else if (!command) parse.unknown.push(`/${id}`);
    else if (command.kind === 'session') parse.reset = true;
    else if (command.kind === 'provider') {
      if (parse.provider) break;
      parse.provider = command.provider;
    } else {
      if (parse.tool) break;
      parse.tool = command.id;
      parse.intent = toIntent(command.intent);
    }
    parse.text = parse.text.slice(whole.length);
  }
  return parse;
}

/** The intent a tool stands for, as a request's `forced_tool` names it; null for a tool nobody knows. */
export function intentOfTool(tool: string): IntentId | null {
  const command = BY_ID.get(tool);
  return command?.kind === 'tool' ? toIntent(command.intent) : null;
}

/** The same as the pipeline asks for it. */
export const slashCommands: SlashCommands = {
  parse: (content) => {
    const { text, tool, provider, reset, unknown } = parseSlashCommands(content);
    return { text, tool, provider, clear: reset, unknown };
  },
  intentOf: intentOfTool,
};

/** `gpt` and `gem` as well as the providers' own names, as `forced_provider` may give them. */
export function providerOf(name: string): string {
  const command = BY_ID.get(name);
  return command?.kind === 'provider' ? command.provider : name;
}

const toIntent = (name: string): IntentId | null => INTENTS.find((intent) => intent === name) ?? null;
