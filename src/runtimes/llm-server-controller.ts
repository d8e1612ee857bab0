// LlmServerController (`llm_server_controller`): the model servers on this machine. Starts and stops them, by systemd
// where that looks after them, watches their health, keeps their output. A server that runs already is adopted: used,
// and never stopped on our own.
import { AppError } from '../shared/errors.js';
import { type CommandResult, runCommand } from '../shared/run-command.js';
import { waitAtMost } from '../shared/wait-at-most.js';
import { OwnedProcesses } from './servers/owned-processes.js';
import { serverEnvironment } from './servers/server-environment.js';
import { SYSTEMD_VARIABLES, SystemdUnit, type UnitState } from './servers/systemd-unit.js';

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
  /** In place of the address, where several servers stand behind the name. */
  probe?: (signal: AbortSignal) => Promise<Omit<ServerHealth, 'at'>>;
  /** What the settings say, as argument vectors; null where they say nothing. */
  commands: Readonly<Record<ServerAction, readonly string[] | null>>;
  /** The server itself, as a process of ours; null where it is not installed here. */
  program: readonly string[] | null;
  /** Used where systemd knows the unit and the settings have no command. */
  systemd?: { unit: string; scope: 'system' | 'user' };
  /** Added to the few variables a server gets of ours. */
  environment: Readonly<Record<string, string>>;
}

export interface ServerHealth {
  at: number;
  status: 'online' | 'degraded' | 'offline' | 'unknown';
  latencyMs: number | null;
  error: string | null;
}

export interface ActionResult extends CommandResult {
  action: ServerAction;
}

/** `adopted`: it runs, and somebody else started it. */
export type Ownership = 'ours' | 'systemd' | 'adopted' | 'none';

export interface LlmServerControllerOptions {
  definitions: readonly LlmServerDefinition[];
  /** Folder of PID files and logs. */
  stateDir: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Path of systemctl; null where there is none. */
  systemctl?: string | null;
  now: () => number;
  fetch?: typeof fetch;
  commandTimeoutMs?: number;
  onHealth?: (name: string, health: ServerHealth) => void;
}

const PROBE_MS = 5_000;
const COMMAND_MS = 300_000;
const HISTORY_KEPT = 120;
/** Pages poll; systemd need not be asked each time. */
const UNIT_FRESH_MS = 5_000;

export class LlmServerController {
  readonly #options: LlmServerControllerOptions;
  readonly #processes: OwnedProcesses;
  readonly #units = new Map<string, { unit: SystemdUnit; state: UnitState | null; askedAt: number }>();
  readonly #history = new Map<string, ServerHealth[]>();
  readonly #busy = new Map<string, Promise<ActionResult>>();

  /** @throws AppError `invalid_settings` for a unit that cannot be one */
  constructor(options: LlmServerControllerOptions) {
    this.#options = options;
    this.#processes = new OwnedProcesses(options.stateDir);
    const { systemctl, environment } = options;
    for (const { name, systemd } of options.definitions) {
      if (!systemctl || !systemd) continue;
      const unit = new SystemdUnit({
        ...systemd,
        systemctl,
        environment: serverEnvironment(environment, {}, SYSTEMD_VARIABLES),
        timeoutMs: options.commandTimeoutMs ?? COMMAND_MS,
      });
      this.#units.set(name, { unit, state: null, askedAt: Number.NEGATIVE_INFINITY });
    }
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
    return this.#processes.pid(name) !== null;
  }

  /** As far as the last check knows. */
  ownership(name: string): Ownership {
    if (this.owns(name)) return 'ours';
    if (this.#units.get(name)?.state?.active === 'active') return 'systemd';
    const status = this.history(name).at(-1)?.status;
    return status === 'online' || status === 'degraded' ? 'adopted' : 'none';
  }

  /** The unit and its state, where systemd knows it. */
  systemd(name: string): { unit: string; state: string } | null {
    const known = this.#units.get(name);
    return known?.state ? { unit: known.unit.name, state: known.state.active } : null;
  }

  pid(name: string): number | null {
    return this.#processes.pid(name) ?? this.#units.get(name)?.state?.pid ?? null;
  }

  /** What can be asked of it now. */
  supports(name: string): Readonly<Record<ServerAction, boolean>> {
    const { commands, program } = this.definition(name);
    const unit = this.systemd(name) !== null;
    const start = commands.start !== null || program !== null || unit;
    return {
      start,
      stop: commands.stop !== null || unit || this.owns(name),
      restart: commands.restart !== null || start,
    };
  }

  async check(name: string): Promise<ServerHealth> {
    const definition = this.definition(name);
    const at = this.#options.now();
    const [health] = await Promise.all([this.#probe(definition), this.#lookAtUnit(name, UNIT_FRESH_MS)]);
    const seen = { at, ...health };
    const former = this.#history.get(name) ?? [];
    this.#history.set(name, [...former.slice(-(HISTORY_KEPT - 1)), seen]);
    if (former.at(-1)?.status !== seen.status) this.#options.onHealth?.(name, seen);
    return seen;
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
    const definition = this.definition(name);
    while (this.#busy.has(name)) await this.#busy.get(name)?.catch(() => {});
    const work = this.#run(definition, action).finally(() => {
      this.#busy.delete(name);
      const known = this.#units.get(name);
      if (known) known.askedAt = Number.NEGATIVE_INFINITY;
    });
    this.#busy.set(name, work);
    return work;
  }

  /** Whether it was ever started here, so that there is something to read. */
  hasLog(name: string): boolean {
    return this.#processes.hasLog(name);
  }

  /** The last lines a server of ours wrote. */
  async logs(name: string, maxBytes = 65_536): Promise<string> {
    this.definition(name);
    return this.#processes.logs(name, maxBytes);
  }

  /** Ends the servers that run because of us, and nobody else's. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#busy.values()]);
    await Promise.allSettled(this.definitions.map(({ name }) => this.#processes.end(name)));
  }

  async #run(definition: LlmServerDefinition, action: ServerAction): Promise<ActionResult> {
    await this.#lookAtUnit(definition.name, 0);
    if (action === 'start') return { action, ...(await this.#start(definition)) };
    if (action === 'stop') return { action, ...(await this.#stop(definition)) };
    const { name, commands } = definition;
    if (commands.restart) return { action, ...(await this.#command(definition, commands.restart)) };
    const unit = this.#unit(name);
    if (unit && !commands.start && !this.owns(name)) return { action, ...(await unit.run('restart')) };
    const stopped = await this.#stop(definition);
    return { action, ...(stopped.ok ? await this.#start(definition) : stopped) };
  }

  async #start(definition: LlmServerDefinition): Promise<CommandResult> {
    const { name, commands, program, environment } = definition;
    const unit = this.#unit(name);
    const command = commands.start ?? (unit ? null : program);
    if (!command && !unit) throw new AppError('invalid_input', `There is no command to start ${name} on this machine.`);
    if ((await this.check(name)).status === 'online') return result(true, `${name} is running already.`);
    if (command) {
      const inherited = serverEnvironment(this.#options.environment, environment, SYSTEMD_VARIABLES);
      return this.#processes.start(name, command, inherited);
    }
    return (unit as SystemdUnit).run('start');
  }

  async #stop(definition: LlmServerDefinition): Promise<CommandResult> {
    const { name, commands } = definition;
    if (this.owns(name)) {
      const ended = await this.#processes.end(name);
      return result(ended, ended ? `${name} was stopped.` : `${name} does not end.`);
    }
    // What one of ours left when it died is ours to clear away.
    await this.#processes.end(name);
    if (commands.stop) return this.#command(definition, commands.stop);
    const unit = this.#unit(name);
    if (unit && this.systemd(name)?.state !== 'inactive') return unit.run('stop');
    const { status } = await this.check(name);
    return status === 'offline'
      ? result(true, `${name} is not running.`)
      : result(false, `${name} was not started by Venom, so it is left running.`);
  }

  #command({ environment }: LlmServerDefinition, command: readonly string[]): Promise<CommandResult> {
    return runCommand(command, {
      environment: serverEnvironment(this.#options.environment, environment, SYSTEMD_VARIABLES),
      timeoutMs: this.#options.commandTimeoutMs ?? COMMAND_MS,
    });
  }

  async #probe({ healthUrl, probe }: LlmServerDefinition): Promise<Omit<ServerHealth, 'at'>> {
    if (probe) return probe(AbortSignal.timeout(PROBE_MS));
    if (!healthUrl) return { status: 'unknown', latencyMs: null, error: null };
    const startedAt = performance.now();
    try {
      const response = await (this.#options.fetch ?? fetch)(healthUrl, {
        signal: AbortSignal.timeout(PROBE_MS),
        redirect: 'manual',
      });
      await response.body?.cancel();
      const ok = response.status < 400;
      return {
        status: ok ? 'online' : 'degraded',
        latencyMs: Math.round(performance.now() - startedAt),
        error: ok ? null : `HTTP ${response.status}`,
      };
    } catch (error) {
      return { status: 'offline', latencyMs: null, error: reasonOf(error) };
    }
  }

  /** Where systemd knows it. */
  #unit(name: string): SystemdUnit | undefined {
    const known = this.#units.get(name);
    return known?.state ? known.unit : undefined;
  }

  /** @param freshMs  age up to which systemd is not asked again */
  async #lookAtUnit(name: string, freshMs: number): Promise<void> {
    const known = this.#units.get(name);
    if (!known || performance.now() - known.askedAt < freshMs) return;
    known.askedAt = performance.now();
    known.state = await known.unit.state();
  }
}

const result = (ok: boolean, message: string): CommandResult => ({
  ok,
  message,
  stdout: '',
  stderr: '',
  exitCode: ok ? 0 : 1,
});

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string } }).cause?.code;
  return (error as Error).name === 'TimeoutError' ? 'no answer in time' : (cause ?? (error as Error).message);
}
