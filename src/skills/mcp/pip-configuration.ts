// Where pip looks for packages on this machine, told to uv, which does not read pip's settings: its files in pip's own order,
// then its variables. What uv was told itself counts before all of it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';

const FILE_BYTES_MAX = 1_048_576;
/** Of a command's section before those of all commands, as pip does it. */
const SECTIONS = ['global', 'install'];
const OPTIONS = ['index-url', 'extra-index-url', 'find-links', 'trusted-host', 'cert', 'no-index'] as const;
type PipOption = (typeof OPTIONS)[number];
type PipConfiguration = Partial<Record<PipOption, string>>;
type Environment = Readonly<Record<string, string | undefined>>;

export interface PipPlaces {
  environment: Environment;
  /** Of whoever runs this. */
  home: string;
  /** The file for everybody on this machine. */
  machine: string;
  /** Where Python lies: pip has a file there, too. */
  python: string;
  /** uv's own settings, where there are any. */
  uvConfig: string | undefined;
}

/** Variables for uv; none where uv has an index of its own. */
export function uvIndexVariables({ uvConfig, ...places }: PipPlaces): Record<string, string> {
  const { environment } = places;
  const own = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'UV_INDEX', 'UV_EXTRA_INDEX_URL'];
  if (own.some((name) => environment[name]) || (uvConfig !== undefined && namesAnIndex(uvConfig))) return {};
  const pip = pipConfiguration(places);
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  const variables: Record<string, string | undefined> = {
    UV_DEFAULT_INDEX: pip['index-url'],
    UV_INDEX: pip['extra-index-url'] && words(pip['extra-index-url']).join(' '),
    UV_FIND_LINKS: pip['find-links'] && words(pip['find-links']).join(','),
    UV_INSECURE_HOST: pip['trusted-host'] && words(pip['trusted-host']).join(' '),
    // It has no variable for that alone; what lies on this machine is still found.
    UV_OFFLINE: isTrue(pip['no-index']) ? '1' : undefined,
    SSL_CERT_FILE: pip.cert,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1]) && !environment[entry[0]]),
  );
}

/** As `pip config` would tell it. */
export function pipConfiguration(places: Omit<PipPlaces, 'uvConfig'>): PipConfiguration {
  const { environment } = places;
  const named = environment['PIP_CONFIG_FILE'];
  const found: PipConfiguration = {};
  // To name the empty file is how one says: no files.
  if (named !== '/dev/null') for (const file of filesOf(places)) Object.assign(found, read(file));
  for (const option of OPTIONS) {
    const value = environment[`PIP_${option.toUpperCase().replaceAll('-', '_')}`];
    if (value) found[option] = value;
  }
  return found;
}

/** The later counts. */
function filesOf({ environment, home, machine, python }: Omit<PipPlaces, 'uvConfig'>): string[] {
  const named = environment['PIP_CONFIG_FILE'];
  const shared = (environment['XDG_CONFIG_DIRS'] || '/etc/xdg').split(delimiter);
  const user = [
    join(home, '.pip', 'pip.conf'),
    join(environment['XDG_CONFIG_HOME'] || join(home, '.config'), 'pip', 'pip.conf'),
  ];
  return [
    ...shared.map((folder) => join(folder, 'pip', 'pip.conf')),
    machine,
    ...(named && existsSync(named) ? [] : user),
    join(environment['VIRTUAL_ENV'] || python, 'pip.conf'),
    ...(named ? [named] : []),
  ];
}

/** A file in the form of Python's configparser: a value goes on in lines that begin with white space. */
function read(path: string): PipConfiguration {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let name: string | undefined;
  for (const line of textOf(path).split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      name = undefined;
    } else if (/^\s/.test(line)) {
      if (section && name !== undefined) section.set(name, `${section.get(name)}\n${line.trim()}`);
    } else {
      const [, key, value] = /^([^=:\s][^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
      if (!section || key === undefined) continue;
      name = key.toLowerCase().replaceAll('_', '-');
      section.set(name, (value ?? '').trim());
    }
  }
  const known = OPTIONS.flatMap((option) => {
    const value = SECTIONS.map((each) => sections.get(each)?.get(option)).findLast((each) => each !== undefined);
    return value === undefined ? [] : [[option, value.trim()]];
  });
  return Object.fromEntries(known) as PipConfiguration;
}

function textOf(path: string): string {
  try {
    return statSync(path).size > FILE_BYTES_MAX ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function namesAnIndex(uvToml: string): boolean {
  try {
    const settings = parseToml(textOf(uvToml)) as Record<string, unknown>;
    const pip = (settings['pip'] ?? {}) as Record<string, unknown>;
    return [settings, pip].some((all) =>
      ['index', 'index-url', 'extra-index-url', 'no-index'].some((each) => each in all),
    );
  } catch {
    // uv will say so itself.
    return true;
  }
}

const isTrue = (value: string | undefined): boolean => /^(1|true|yes|on)$/i.test(value ?? '');
