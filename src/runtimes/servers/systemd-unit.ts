// A model server that systemd looks after: its state and its actions, through systemctl and never through a shell.
import { AppError } from '../../shared/errors.js';
import { type CommandResult, runCommand } from '../../shared/run-command.js';

const SHOW_MS = 5_000;

export interface SystemdUnitOptions {
  /** Path of systemctl. */
  systemctl: string;
  /** Such as `ollama.service`. */
  unit: string;
  scope: 'system' | 'user';
  environment: Readonly<Record<string, string>>;
  timeoutMs: number;
}

export interface UnitState {
  /** `active`, `inactive`, `activating`, `deactivating`, `failed`, `reloading`. */
  active: string;
  pid: number | null;
}

/** What systemctl reaches the user's own manager by. */
export const SYSTEMD_VARIABLES = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'];

export class SystemdUnit {
  readonly #options: SystemdUnitOptions;
  readonly #base: readonly string[];

  /** @throws AppError `invalid_settings` for what is no name of a unit */
  constructor(options: SystemdUnitOptions) {
    if (!/^[A-Za-z0-9_.:@\\][A-Za-z0-9_.:@\\-]{0,250}$/.test(options.unit))
      throw new AppError('invalid_settings', `${options.unit} is no name of a systemd unit.`);
    this.#options = options;
    this.#base = [options.systemctl, `--${options.scope}`, '--no-pager', '--no-ask-password'];
  }

  get name(): string {
    return this.#options.unit;
  }

  /** Null where systemd does not know the unit, or is not there. */
  async state(): Promise<UnitState | null> {
    const { unit, environment } = this.#options;
    const shown = await runCommand([...this.#base, 'show', '--property=LoadState,ActiveState,MainPID', '--', unit], {
      environment,
      timeoutMs: SHOW_MS,
    });
    if (!shown.ok) return null;
    const fields = new Map(
      shown.stdout.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1).trim()] as const;
      }),
    );
    if (fields.get('LoadState') !== 'loaded') return null;
    const pid = Number(fields.get('MainPID'));
    return { active: fields.get('ActiveState') ?? 'inactive', pid: Number.isInteger(pid) && pid > 0 ? pid : null };
  }

  run(action: 'start' | 'stop' | 'restart'): Promise<CommandResult> {
    const { unit, environment, timeoutMs } = this.#options;
    return runCommand([...this.#base, action, '--', unit], { environment, timeoutMs });
  }
}
