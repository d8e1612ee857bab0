// LlmServerController: the model servers on this machine as processes. Starts and stops them by argument vectors, never
// through a shell; watches their health; keeps their output. It never stops a server that it did not start.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { AppError } from '../shared/errors.js';
import { waitAtMost } from '../shared/wait-at-most.js';

export type ServerAction = 'start' | 'stop' | 'restart';

export interface LlmServerDefinition {
  /** `ollama`, `vllm`, `llama-cpp-server`. */
  name: string;
  displayName: string;
  description: string;
  provider: string;
  endpoint: string | null;
  /** Answered with less than 400 when the server is well. */
  healthUrl: string | null;
  /** Argument vectors; null where the server cannot be started from here. */
  commands: Readonly<Record<ServerAction, readonly string[] | null>>;
  /** Added to the few variables a server gets of ours. */
  environment: Readonly<Record<string, string>>;
}

export interface ServerHealth {
  at: number;
  status: 'online' | 'degraded' | 'offline' | 'unknown';
  latencyMs: number | null;
  error: string | null;
}

export interface ActionResult {
  ok: boolean;
  action: ServerAction;
  message: string;
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

export interface LlmServerControllerOptions {
  definitions: readonly LlmServerDefinition[];
  /** Folder of PID files and logs. */
  stateDir: string;
  environment: Readonly<Record<string, string | undefined>>;
  now: () => number;
  fetch?: typeof fetch;
  commandTimeoutMs?: number;
  onHealth?: (name: string, health: ServerHealth) => void;
}

const PROBE_MS = 5_000;
const COMMAND_MS = 300_000;
const STARTED_AFTER_MS = 500;
const TERM_MS = 5_000;
const HISTORY_KEPT = 120;
const OUTPUT_KEPT = 64_000;
const LOG_LIMIT_BYTES = 8 * 1_048_576;
/** What a model server may know of our environment; never keys or settings. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'XDG_CACHE_HOME',
  'HF_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
];

interface OwnedProcess {
  pid: number;
  /** Of the process, so that a reused PID is not taken for it. */
  startTicks: string | null;
}

export class LlmServerController {
  readonly #options: LlmServerControllerOptions;
  readonly #history = new Map<string, ServerHealth[]>();
  readonly #busy = new Map<string, Promise<ActionResult>>();

  constructor(options: LlmServerControllerOptions) {
    this.#options = options;
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  }

  get definitions(): readonly LlmServerDefinition[] {
    return this.#options.definitions;
  }

  /** @throws AppError `not_found` */
  definition(name: string): LlmServerDefinition {
    const found = this.#options.definitions.find((definition) => definition.name === name);
    if (!found) throw new AppError('not_found', `There is no model server called ${name}.`);
    return found;
  }

  /** Newest last. */
  history(name: string): readonly ServerHealth[] {
    return this.#history.get(name) ?? [];
  }

  /** Whether the server runs because of us. */
  owns(name: string): boolean {
    return this.#owned(name) !== undefined;
  }

  pid(name: string): number | null {
    return this.#owned(name)?.pid ?? null;
  }

  async check(name: string): Promise<ServerHealth> {
    const { healthUrl } = this.definition(name);
    const at = this.#options.now();
    let health: ServerHealth = { at, status: 'unknown', latencyMs: null, error: null };
    if (healthUrl) {
      const startedAt = performance.now();
      try {
        const response = await (this.#options.fetch ?? fetch)(healthUrl, {
          signal: AbortSignal.timeout(PROBE_MS),
          redirect: 'manual',
        });
        await response.body?.cancel();
        const ok = response.status < 400;
        health = {
          at,
          status: ok ? 'online' : 'degraded',
          latencyMs: Math.round(performance.now() - startedAt),
          error: ok ? null : `HTTP ${response.status}`,
        };
      } catch (error) {
        health = { at, status: 'offline', latencyMs: null, error: reasonOf(error) };
      }
    }
    const former = this.#history.get(name) ?? [];
    this.#history.set(name, [...former.slice(-(HISTORY_KEPT - 1)), health]);
    if (former.at(-1)?.status !== health.status) this.#options.onHealth?.(name, health);
    return health;
  }

  /** Asks every server; one that hangs is waited for no longer than this, and its last known health stands. */
  async checkAll(withinMs: number): Promise<void> {
    await waitAtMost(Promise.all(this.definitions.map(({ name }) => this.check(name))), withinMs);
  }

  /** Resolves with whether it got there in time. */
  async waitFor(name: string, wanted: 'up' | 'down', timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (let pause = 50; ; pause = Math.min(500, pause * 1.5)) {
      const { status } = await this.check(name);
      if ((status === 'online') === (wanted === 'up')) return true;
      if (performance.now() + pause > deadline || signal?.aborted) return false;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /**
   * One action at a time per server. A command that fails is a result, not an error.
   * @throws AppError `not_found`, `invalid_input` when the server has no such command
   */
  async run(name: string, action: ServerAction): Promise<ActionResult> {
    const running = this.#busy.get(name);
    if (running) await running.catch(() => {});
    const work = this.#run(this.definition(name), action).finally(() => this.#busy.delete(name));
    this.#busy.set(name, work);
    return work;
  }

  /** The last lines a server of ours wrote. */
  async logs(name: string, maxBytes = 65_536): Promise<string> {
    this.definition(name);
    const file = await open(this.#path(name, 'log'), 'r').catch(() => undefined);
    if (!file) return '';
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - maxBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const text = buffer.toString('utf8', 0, bytesRead);
      return from > 0 ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      await file.close();
    }
  }

  /** Ends the servers that run because of us, and nobody else's. */
  async close(): Promise<void> {
    await Promise.allSettled(
      this.definitions.filter(({ name }) => this.owns(name)).map(({ name }) => this.run(name, 'stop')),
    );
  }

  async #run(definition: LlmServerDefinition, action: ServerAction): Promise<ActionResult> {
    const { name, commands } = definition;
    if (action === 'restart' && !commands.restart) {
      const stopped = await this.#run(definition, 'stop');
      return stopped.ok ? { ...(await this.#run(definition, 'start')), action } : { ...stopped, action };
    }
    if (action === 'stop' && this.owns(name)) {
      const ended = await this.#end(name);
      return result(action, ended, ended ? `${name} was stopped.` : `${name} does not end.`);
    }
    const command = commands[action];
    if (action === 'stop' && !command) {
      const { status } = await this.check(name);
      if (status === 'offline') return result(action, true, `${name} is not running.`);
      return result(action, false, `${name} was not started by Venom, so it is left running.`);
    }
    if (!command) throw new AppError('invalid_input', `There is no command to ${action} ${name} on this machine.`);
    if (action === 'start') return this.#start(definition, command);
    return this.#command(definition, action, command);
  }

  async #start(definition: LlmServerDefinition, command: readonly string[]): Promise<ActionResult> {
    const { name } = definition;
    if ((await this.check(name)).status === 'online') return result('start', true, `${name} is running already.`);
    const logPath = this.#path(name, 'log');
    if (existsSync(logPath) && statSync(logPath).size > LOG_LIMIT_BYTES) renameSync(logPath, `${logPath}.1`);
    const log = openSync(logPath, 'a', 0o600);
    let child: ChildProcess;
    try {
      child = spawn(command[0] as string, command.slice(1), {
        detached: true,
        stdio: ['ignore', log, log],
        env: this.#environment(definition),
      });
    } finally {
      closeSync(log);
    }
    const ended = new Promise<{ code: number | null; error?: Error }>((resolve) => {
      child.once('error', (error) => resolve({ code: null, error }));
      child.once('exit', (code) => resolve({ code }));
    });
    const early = await Promise.race([
      ended,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), STARTED_AFTER_MS)),
    ]);
    // A command that ends well has handed the server to somebody else, such as systemd.
    if (early && early.code !== 0) {
      const why = early.error?.message ?? (await this.logs(name, 4_096)).trim().split('\n').slice(-5).join('\n');
      return { ...result('start', false, `${name} did not start: ${why}`), stderr: why, exitCode: early.code };
    }
    if (!early && child.pid !== undefined) {
      writeFileSync(
        this.#path(name, 'pid'),
        JSON.stringify({ pid: child.pid, startTicks: startTicks(child.pid) } satisfies OwnedProcess),
        { mode: 0o600 },
      );
      child.unref();
    }
    return result('start', true, `${name} was started.`);
  }

  #command(definition: LlmServerDefinition, action: ServerAction, command: readonly string[]): Promise<ActionResult> {
    return new Promise((resolve) => {
      const child = spawn(command[0] as string, command.slice(1), {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: this.#environment(definition),
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (bytes) => {
        stdout = (stdout + bytes).slice(-OUTPUT_KEPT);
      });
      child.stderr.on('data', (bytes) => {
        stderr = (stderr + bytes).slice(-OUTPUT_KEPT);
      });
      const timer = setTimeout(() => {
        endGroup(child.pid, 'SIGKILL');
        finish(
          false,
          `The command did not end within ${(this.#options.commandTimeoutMs ?? COMMAND_MS) / 1_000} s.`,
          null,
        );
      }, this.#options.commandTimeoutMs ?? COMMAND_MS);
      const finish = (ok: boolean, message: string, exitCode: number | null) => {
        clearTimeout(timer);
        resolve({ ok, action, message, stdout, stderr, exitCode });
      };
      child.once('error', (error) => finish(false, error.message, null));
      child.once('exit', (code) => finish(code === 0, code === 0 ? 'Done.' : `The command ended with ${code}.`, code));
    });
  }

  async #end(name: string): Promise<boolean> {
    const owned = this.#owned(name);
    if (!owned) return true;
    endGroup(owned.pid, 'SIGTERM');
    const deadline = performance.now() + TERM_MS;
    while (alive(owned) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    // The whole group: runners of a server outlive it when it is killed alone.
    endGroup(owned.pid, 'SIGKILL');
    for (let tries = 0; alive(owned) && tries < 40; tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    const gone = !alive(owned);
    if (gone) rmSync(this.#path(name, 'pid'), { force: true });
    return gone;
  }

  #owned(name: string): OwnedProcess | undefined {
    try {
      const owned = JSON.parse(readFileSync(this.#path(name, 'pid'), 'utf8')) as OwnedProcess;
      return alive(owned) ? owned : undefined;
    } catch {
      return undefined;
    }
  }

  #environment(definition: LlmServerDefinition): Record<string, string> {
    const { environment } = this.#options;
    const passed = PASSED_ON.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { ...Object.fromEntries(passed), ...definition.environment };
  }

  #path(name: string, kind: 'pid' | 'log'): string {
    return join(this.#options.stateDir, `${name}.${kind}`);
  }
}

/** A command line as an argument vector; quotes group words, nothing is expanded. @throws AppError `invalid_settings` */
export function toArgumentVector(text: string): string[] | null {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+))/gy;
  let at = 0;
  while (at < text.trimEnd().length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new AppError('invalid_settings', `A quote is not closed in the command: ${text}`);
    words.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? (match[3] as string));
    at = pattern.lastIndex;
  }
  return words.length > 0 ? words : null;
}

/** The path of a program, as a shell would find it. */
export function findProgram(name: string, path: string | undefined): string | null {
  for (const folder of (path ?? '').split(delimiter)) {
    if (folder && existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

const result = (action: ServerAction, ok: boolean, message: string): ActionResult => ({
  ok,
  action,
  message,
  stdout: '',
  stderr: '',
  exitCode: ok ? 0 : 1,
});

function alive({ pid, startTicks: started }: OwnedProcess): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const now = startTicks(pid);
  // Null where the platform does not tell, or the process has just gone.
  return started === null || now === started;
}

/** The 22nd field of /proc/PID/stat; a zombie counts as gone. */
function startTicks(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string } }).cause?.code;
  return (error as Error).name === 'TimeoutError' ? 'no answer in time' : (cause ?? (error as Error).message);
}
