// What a server may know of our environment: what programs need to run, never keys or settings of ours.
import { AppError } from '../../shared/errors.js';

const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TERM'];
/** They change what other programs run; a configuration may not set them. */
const NEVER_SET = /^(LD_|DYLD_|NODE_OPTIONS$|PYTHONSTARTUP$|PYTHONHOME$|BASH_ENV$|ENV$|VENOM_|GIT_|PATH$|HOME$)/i;
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  { home, own }: { home: string; own: Readonly<Record<string, string>> },
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = inherited[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    HOME: home,
    TMPDIR: '/tmp',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...own,
  };
}

/** @throws AppError `invalid_input` */
export function checkEnvironmentNames(names: readonly string[]): void {
  for (const name of names) {
    if (!ENVIRONMENT_NAME.test(name))
      throw new AppError('invalid_input', `${JSON.stringify(name)} is no name of a variable.`);
    if (NEVER_SET.test(name)) throw new AppError('invalid_input', `A server may not be given ${name}.`);
  }
}
