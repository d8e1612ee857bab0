// MCP over the pipes of a process of ours: a group of its own that ends as a whole, lines and queues with bounds, and what
// it says on stderr kept. The library's own transport leaves children of children behind.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  deserializeMessage,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { guardGroup } from '../../shared/group-guard.js';
import {
  endGroup,
  endProcess,
  MARK_VARIABLE,
  type ProcessId,
  processTree,
  startTicks,
} from '../../shared/process-tree.js';

const LINE_LIMIT_BYTES = 16 * 1_048_576;
const UNREAD_LIMIT_BYTES = 16 * 1_048_576;
/** Lines that are no message: a banner is forgiven, a flood is not. */
const NOISE_LIMIT = 1_000;
const DRAIN_AFTER_EXIT_MS = 200;
const EOF_MS = 500;
const TERM_MS = 2_000;
const KILL_MS = 2_000;
const TOO_MUCH_ROUNDS = 5;

export interface StdioTransportOptions {
  /** As it is spawned, with whatever isolates it in front. */
  command: readonly string[];
  cwd: string;
  /** All of it; nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  /** Unique; inherited by whatever the server starts. */
  mark: string;
  /** Remembered before the first byte is exchanged, so that the next boot finds it. */
  onSpawn: (id: ProcessId) => void;
  /** Called when nothing of it is left. */
  onGone: () => void;
  onStderr: (text: string) => void;
  /** Told of each process; what is returned is called when it has ended. */
  watch?: (pid: number, onTooMuch: (reason: string) => void) => () => void;
}

export class StdioTransport implements Transport {
  /** The library tells a pipe from a network by `stderr` and `pid`. */
  readonly stderr = null;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T) => void;
  /** Lines on stdout that were no message. */
  noise = 0;
  /** Why it ended by itself or was ended for what it did; null while it runs and when we closed it. */
  failure: AppError | null = null;
  readonly #options: StdioTransportOptions;
  #child: ChildProcessWithoutNullStreams | undefined;
  #endGuard: (() => void) | undefined;
  #endWatch: (() => void) | undefined;
  #exited = false;
  #closing: Promise<void> | undefined;
  #ended = false;
  #partial: Buffer[] = [];
  #partialBytes = 0;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** @throws AppError `mcp_crashed` when the program cannot be started */
  async start(): Promise<void> {
    const { command, cwd, environment, mark } = this.#options;
    const child = spawn(command[0] as string, command.slice(1), {
      cwd,
      detached: true,
      stdio: 'pipe',
      env: { ...environment, [MARK_VARIABLE]: mark },
    });
    this.#child = child;
    // At once: we may be killed in any moment from here on.
    if (child.pid !== undefined) this.#endGuard = guardGroup(child.pid, mark);
    child.stdin.on('error', () => {});
    child.stdout.on('error', () => {});
    child.stderr.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        this.#exited = true;
        this.#endGuard?.();
        reject(new AppError('mcp_crashed', `${command[0]} cannot be started.`, { cause }));
      });
    });
    child.on('error', (error) => this.onerror?.(error));
    const pid = child.pid as number;
    this.#options.onSpawn({ pid, startTicks: startTicks(pid) });
    this.#endWatch = this.#options.watch?.(pid, (reason) => this.#tooMuch(reason));
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#options.onStderr(text));
    // Not 'close': a grandchild may hold the pipes open for ever.
    child.once('exit', (code, signal) => {
      this.#exited = true;
      const how = signal === null ? `with ${code}` : `by ${signal}`;
      if (!this.#closing)
        this.failure ??= new AppError('mcp_crashed', `The server ended ${how}.`, { details: { code, signal } });
      let finished = false;
      const finish = () => {
        if (!finished) void this.#finish();
        finished = true;
      };
      child.once('close', finish);
      setTimeout(finish, DRAIN_AFTER_EXIT_MS);
    });
  }

  /** @throws AppError `mcp_crashed` when it has ended, `mcp_protocol` when it does not read what it is sent */
  send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (!child || this.#exited || this.#closing || !child.stdin.writable)
      return Promise.reject(this.failure ?? new AppError('mcp_crashed', 'The server does not run.'));
    if (child.stdin.writableLength > UNREAD_LIMIT_BYTES)
      return Promise.reject(new AppError('mcp_protocol', 'The server does not read what it is sent.'));
    // Waits for nobody: a server that does not read must not hold the caller's timeout off.
    child.stdin.write(serializeMessage(message));
    return Promise.resolve();
  }

  /** End of input, then TERM, then KILL, each for the whole group; resolves when nothing of it is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const child = this.#child;
    if (child && !this.#exited) {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.stdin.end();
      if (!(await within(gone, EOF_MS))) {
        endGroup(child.pid, 'SIGTERM');
        if (!(await within(gone, TERM_MS))) {
          endGroup(child.pid, 'SIGKILL');
          await within(gone, KILL_MS);
        }
      }
    }
    await this.#finish();
  }

  async #finish(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const child = this.#child;
    if (child?.pid !== undefined) {
      // The leader's end is not its children's.
      const tree = processTree(this.#exited ? null : child.pid, this.#options.mark);
      endGroup(child.pid, 'SIGKILL');
      for (const id of tree) endProcess(id, 'SIGKILL');
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    }
    this.#endGuard?.();
    this.#endWatch?.();
    this.#options.onGone();
    this.onclose?.();
  }

  #read(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      const line =
        this.#partialBytes === 0
          ? bytes.subarray(from, end)
          : Buffer.concat([...this.#partial, bytes.subarray(from, end)]);
      this.#partial = [];
      this.#partialBytes = 0;
      from = end + 1;
      if (!this.#line(line)) return;
    }
    const rest = bytes.subarray(from);
    if (rest.length === 0) return;
    this.#partial.push(Buffer.from(rest));
    this.#partialBytes += rest.length;
    if (this.#partialBytes > LINE_LIMIT_BYTES)
      this.#fail(`The server sent a line of more than ${LINE_LIMIT_BYTES / 1_048_576} MB.`);
  }

  /** @returns whether to go on */
  #line(line: Buffer): boolean {
    const text = line.toString('utf8').replace(/\r$/, '');
    if (text.trim() === '') return true;
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(text);
    } catch {
      this.noise += 1;
      if (this.noise <= NOISE_LIMIT) return true;
      this.#fail(`The server wrote more than ${NOISE_LIMIT} lines that are no messages.`);
      return false;
    }
    this.onmessage?.(message);
    return true;
  }

  /** No time is given: what multiplies would use it. */
  #tooMuch(reason: string): void {
    this.failure ??= new AppError('mcp_crashed', `The server was ended: it had ${reason}.`);
    const { mark } = this.#options;
    endGroup(this.#child?.pid, 'SIGKILL');
    for (let round = 0; round < TOO_MUCH_ROUNDS; round += 1)
      for (const id of processTree(null, mark)) endProcess(id, 'SIGKILL');
    this.onerror?.(this.failure);
    void this.close();
  }

  #fail(reason: string): void {
    this.failure ??= new AppError('mcp_protocol', reason);
    this.#child?.stdout.removeAllListeners('data').resume();
    this.#partial = [];
    this.#partialBytes = 0;
    this.onerror?.(this.failure);
    void this.close();
  }
}

async function within(event: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const happened = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return happened;
}
