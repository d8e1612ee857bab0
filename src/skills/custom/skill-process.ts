// One custom skill at work, in a process of its own: no files but its own, no programs, nothing of our environment. Calls
// and answers are lines of JSON. What it prints, hangs or breaks is its own affair.
import { type ChildProcess, spawn } from 'node:child_process';
import { abortable } from '../../shared/abortable.js';
import { AppError } from '../../shared/errors.js';

const MAX_LINE_CHARS = 1_048_576;
const MAX_CALLS = 32;
const MEMORY_MB = 256;

/** Runs in the child. It keeps stdout for answers; whatever the skill prints goes to stderr. */
const HOST = `
const out = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
console.log = console.info = console.debug = console.error;
const send = (message) => out(JSON.stringify(message) + '\\n');
const skill = import(process.argv[1]);
skill.catch(() => {});
let text = '';
process.stdin.setEncoding('utf8').on('data', (piece) => {
  text += piece;
  for (let end = text.indexOf('\\n'); end !== -1; end = text.indexOf('\\n')) {
    void answer(JSON.parse(text.slice(0, end)));
    text = text.slice(end + 1);
  }
}).on('end', () => process.exit(0));
async function answer({ id, name, input }) {
  try {
    const found = (await skill).functions?.[name];
    if (typeof found !== 'function') throw new Error('skill.mjs exports no functions.' + name);
    const result = await found(input);
    send({ id, result: typeof result === 'string' ? { text: result } : result });
  } catch (error) {
    send({ id, error: String(error?.message ?? error).slice(0, 2000) });
  }
}`;

export interface SkillAnswer {
  text: string;
  structured: unknown;
}

interface Pending {
  resolve: (answer: SkillAnswer) => void;
  reject: (error: AppError) => void;
}

export class SkillProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #text = '';
  #next = 0;
  #ended = false;

  /** @param folder  holds skill.mjs; the only folder it may read */
  constructor(folder: string) {
    this.#child = spawn(
      process.execPath,
      [
        '--permission',
        `--allow-fs-read=${folder}`,
        `--max-old-space-size=${MEMORY_MB}`,
        '--no-warnings',
        '--input-type=module',
        '--eval',
        HOST,
        `${folder}/skill.mjs`,
      ],
      { cwd: folder, env: { LANG: 'C.UTF-8', TZ: 'UTC' }, stdio: ['pipe', 'pipe', 'ignore'], detached: false },
    );
    this.#child.stdout?.setEncoding('utf8').on('data', (piece: string) => this.#read(piece));
    this.#child.stdin?.on('error', () => {});
    this.#child.on('error', () => this.stop());
    this.#child.on('exit', () => this.stop());
  }

  get ended(): boolean {
    return this.#ended;
  }

  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /** @throws AppError `tool_failed`, `queue_full`, or the signal's reason; a call that is stopped takes the process along */
  async call(name: string, input: unknown, signal: AbortSignal): Promise<SkillAnswer> {
    signal.throwIfAborted();
    if (this.#ended) throw broken();
    if (this.#pending.size >= MAX_CALLS) throw new AppError('queue_full', 'The skill has too many calls at once.');
    const id = this.#next++;
    const answer = new Promise<SkillAnswer>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#child.stdin?.write(`${JSON.stringify({ id, name, input })}\n`);
    try {
      return await abortable(answer, signal);
    } catch (error) {
      // It may be in an endless loop, and cannot be asked.
      if (signal.aborted) this.stop();
      throw error;
    } finally {
      this.#pending.delete(id);
    }
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#child.kill('SIGKILL');
    for (const { reject } of this.#pending.values()) reject(broken());
    this.#pending.clear();
  }

  #read(piece: string): void {
    this.#text += piece;
    for (let end = this.#text.indexOf('\n'); end !== -1; end = this.#text.indexOf('\n')) {
      this.#take(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 1);
    }
    if (this.#text.length > MAX_LINE_CHARS) this.stop();
  }

  #take(line: string): void {
    const message = parsedLine(line);
    const pending = typeof message?.['id'] === 'number' ? this.#pending.get(message['id']) : undefined;
    // A skill may write lines of its own; they are nobody's answer.
    if (!message || !pending) return;
    const result = message['result'] as { text?: unknown; structured?: unknown } | null | undefined;
    if (typeof message['error'] === 'string') pending.reject(new AppError('tool_failed', message['error']));
    else if (typeof result?.text === 'string')
      pending.resolve({ text: result.text, structured: result.structured ?? null });
    else pending.reject(new AppError('tool_failed', 'The skill gave no text.'));
  }
}

function parsedLine(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const broken = () => new AppError('tool_failed', 'The skill broke off.');
