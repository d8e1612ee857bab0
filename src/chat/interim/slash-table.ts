// The contract's slash commands, until the full parser takes its place.
import type { IntentId } from '../intent.js';
import type { ParsedText, SlashCommands } from '../task-ports.js';

const TOOLS: Readonly<Record<string, IntentId>> = {
  assistant: 'GENERAL_CHAT',
  browser: 'RESEARCH',
  chrono: 'TIME_REQUEST',
  complexity: 'COMPLEX_PLANNING',
  compose: 'CODE_GENERATION',
  core: 'STATUS_REPORT',
  docs: 'DOCUMENTATION',
  file: 'FILE_OPERATION',
  git: 'VERSION_CONTROL',
  github: 'RESEARCH',
  gcal: 'GENERAL_CHAT',
  hf: 'RESEARCH',
  input: 'E2E_TESTING',
  media: 'RESEARCH',
  parallel: 'COMPLEX_PLANNING',
  platform: 'VERSION_CONTROL',
  render: 'DOCUMENTATION',
  research: 'RESEARCH',
  shell: 'CODE_GENERATION',
  test: 'E2E_TESTING',
  web: 'RESEARCH',
};
const PROVIDERS: Readonly<Record<string, string>> = { gpt: 'openai', gem: 'google' };

export class SlashTable implements SlashCommands {
  parse(text: string): ParsedText {
    const match = /^\s*\/([A-Za-z0-9_-]+)(?=\s|$)\s*/.exec(text);
    const parsed = { text, tool: null, provider: null, clear: false };
    if (!match) return parsed;
    const command = match[1] as string;
    const rest = text.slice(match[0].length);
    if (command === 'clear' || command === 'cler') return { ...parsed, text: rest, clear: true };
    return {
      ...parsed,
      text: rest,
      provider: Object.hasOwn(PROVIDERS, command) ? (PROVIDERS[command] as string) : null,
      tool: Object.hasOwn(TOOLS, command) ? command : null,
    };
  }

  intentOf(tool: string): IntentId | null {
    return Object.hasOwn(TOOLS, tool) ? (TOOLS[tool] as IntentId) : null;
  }
}
