// Agents whose work has a fixed order: what is looked at, what is run, what a model may add. Facts come from tools, and what
// a model writes stands beside them, never in their place.
import { AppError } from '../../../shared/errors.js';
import type { Language } from '../../intent.js';
import type { ToolFinding } from '../../task-ports.js';

export interface ProcedureWork {
  /** What was asked for. */
  text: string;
  language: Language;
  /** The model is too small to be asked about what was found. */
  small: boolean;
  /** Characters of material that may go along with a question. */
  roomChars: number;
  has(tool: string): boolean;
  /** Failures are findings. @throws the reason of a stop */
  call(tool: string, input: Record<string, unknown>): Promise<ToolFinding>;
  /** Asks the model; with `shown` its words are part of the answer as they come. @throws AppError of the engine */
  write(request: string, options?: { shown?: boolean; maxTokens?: number }): Promise<string>;
  /** Text of the answer that is no model's. */
  say(text: string): void;
  note(line: string): void;
}

/** Returns the whole answer. @throws AppError `unsupported` and the like where nothing can be done here */
export type Procedure = (work: ProcedureWork) => Promise<string>;

/** A finding without which there is nothing to say. @throws AppError with the tool's own code */
export function needed(found: ToolFinding): ToolFinding {
  if (found.failed) throw failureOf(found);
  return found;
}

export const failureOf = ({ errorCode, text }: ToolFinding): AppError =>
  new AppError(isOurs(errorCode) ? errorCode : 'tool_failed', text);

/** A person's no, or silence: an answer, and no failure. */
export const wasRefused = ({ errorCode }: ToolFinding): boolean =>
  errorCode === 'tool_denied' || errorCode === 'approval_expired';

const isOurs = (code: string | null): code is 'unsupported' | 'invalid_input' | 'tool_timeout' | 'not_found' =>
  code === 'unsupported' || code === 'invalid_input' || code === 'tool_timeout' || code === 'not_found';

/** A block that its content cannot close. */
export function fenced(text: string, kind = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${kind}\n${text.trimEnd()}\n${fence}`;
}

/** A finding for a model, cut within its frame. */
export const framed = ({ quoted, text }: ToolFinding, cut: (text: string) => string): string =>
  quoted.replace(text, () => cut(text));

/** The end of a long text, from the beginning of a line. */
export function lastOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = text.slice(-maxChars);
  return `[…]\n${end.slice(end.indexOf('\n') + 1)}`;
}

export interface ListedFile {
  path: string;
  kind: 'file' | 'folder' | string;
  bytes?: number;
}

export function filesOf({ structured }: ToolFinding): readonly ListedFile[] {
  const files = (structured as { files?: unknown } | null)?.files;
  return Array.isArray(files) ? (files as ListedFile[]) : [];
}

/** Folders of the workspace the work may be in: the one the words name, else the workspace itself and what is in it. */
export async function likelyFolders(work: ProcedureWork, most = 12): Promise<string[]> {
  const top = needed(await work.call('file__list_files', { directory: '.' }));
  const folders = filesOf(top)
    .filter(({ kind, path }) => kind !== 'file' && !path.startsWith('.') && path !== 'custom')
    .map(({ path }) => path.replace(/\/$/, ''));
  const words = new Set(work.text.toLowerCase().match(/[\p{L}\p{N}_.-]+/gu));
  const named = folders.filter((folder) => words.has(folder.toLowerCase()));
  return (named.length > 0 ? named : ['.', ...folders]).slice(0, most);
}
