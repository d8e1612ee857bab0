// What may stand at the beginning of a message: `/tool`, `/gpt`, `@gem`, `/clear`. The UI's menu reads the same table.

interface SlashCommandBase {
  /** As it is typed after `/`; upper and lower case differ. */
  readonly id: string;
  /** Key of its description in the UI's languages. */
  readonly labelKey: string;
  /** Other spellings that mean the same and are not shown. */
  readonly aliases?: readonly string[];
}

export type SlashCommand =
  | (SlashCommandBase & { readonly kind: 'tool'; readonly intent: string })
  /** Also after `@`. */
  | (SlashCommandBase & { readonly kind: 'provider'; readonly provider: 'openai' | 'google' })
  | (SlashCommandBase & { readonly kind: 'session' });

export const SLASH_COMMANDS = [
  { id: 'clear', kind: 'session', labelKey: 'slash.clear', aliases: ['cler'] },
  { id: 'gpt', kind: 'provider', provider: 'openai', labelKey: 'slash.gpt' },
  { id: 'gem', kind: 'provider', provider: 'google', labelKey: 'slash.gem' },
  { id: 'assistant', kind: 'tool', intent: 'GENERAL_CHAT', labelKey: 'slash.assistant' },
  { id: 'browser', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.browser' },
  { id: 'chrono', kind: 'tool', intent: 'TIME_REQUEST', labelKey: 'slash.chrono' },
  { id: 'complexity', kind: 'tool', intent: 'COMPLEX_PLANNING', labelKey: 'slash.complexity' },
  { id: 'compose', kind: 'tool', intent: 'CODE_GENERATION', labelKey: 'slash.compose' },
  { id: 'core', kind: 'tool', intent: 'STATUS_REPORT', labelKey: 'slash.core' },
  { id: 'docs', kind: 'tool', intent: 'DOCUMENTATION', labelKey: 'slash.docs' },
  { id: 'file', kind: 'tool', intent: 'FILE_OPERATION', labelKey: 'slash.file' },
  { id: 'gcal', kind: 'tool', intent: 'GENERAL_CHAT', labelKey: 'slash.gcal' },
  { id: 'git', kind: 'tool', intent: 'VERSION_CONTROL', labelKey: 'slash.git' },
  { id: 'github', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.github' },
  { id: 'hf', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.hf' },
  { id: 'input', kind: 'tool', intent: 'E2E_TESTING', labelKey: 'slash.input' },
  { id: 'media', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.media' },
  { id: 'parallel', kind: 'tool', intent: 'COMPLEX_PLANNING', labelKey: 'slash.parallel' },
  { id: 'platform', kind: 'tool', intent: 'VERSION_CONTROL', labelKey: 'slash.platform' },
  { id: 'render', kind: 'tool', intent: 'DOCUMENTATION', labelKey: 'slash.render' },
  { id: 'research', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.research' },
  { id: 'shell', kind: 'tool', intent: 'CODE_GENERATION', labelKey: 'slash.shell' },
  { id: 'test', kind: 'tool', intent: 'E2E_TESTING', labelKey: 'slash.test' },
  { id: 'web', kind: 'tool', intent: 'RESEARCH', labelKey: 'slash.web' },
] as const satisfies readonly SlashCommand[];
