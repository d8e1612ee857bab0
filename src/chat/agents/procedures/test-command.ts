// How a project's tests are run: told by the files it has. Pure.

export interface ProjectFacts {
  /** Names of what lies in its folder. */
  files: readonly string[];
  /** Texts of those that say more, by name. */
  texts: Readonly<Record<string, string>>;
}

export interface TestCommand {
  command: string;
  /** The file that says so. */
  because: string;
}

/** Files whose text is wanted before a command is chosen. */
export const TELLING_FILES = ['package.json', 'Makefile', 'pyproject.toml'] as const;

/** `npm init` writes it: it only says that there are none. */
const NO_TESTS = /no test specified/;
const PYTHON =
  "if python3 -c 'import pytest' 2>/dev/null; then python3 -m pytest -q; else python3 -m unittest discover -v; fi";

/** A command a person writes in backticks comes before all that is guessed. */
export function commandInWords(text: string): TestCommand | null {
  const command = /`(?<command>[^`\n]{1,500})`/.exec(text)?.groups?.['command']?.trim();
  return command && /^[\w./-]+(?:\s|$)/.test(command) && (/\s/.test(command) || command.startsWith('./'))
    ? { command, because: 'your words' }
    : null;
}

export function testCommand({ files, texts }: ProjectFacts): TestCommand | null {
  const has = (name: string) => files.includes(name);
  if (has('package.json') && hasTestScript(texts['package.json'] ?? ''))
    return { command: 'npm test --silent', because: 'package.json' };
  if (/^test:/m.test(texts['Makefile'] ?? '')) return { command: 'make test', because: 'Makefile' };
  if (has('Cargo.toml')) return { command: 'cargo test --offline', because: 'Cargo.toml' };
  if (has('go.mod')) return { command: 'go test ./...', because: 'go.mod' };
  const python =
    ['pytest.ini', 'tox.ini', 'conftest.py', 'pyproject.toml', 'setup.py'].find(has) ??
    files.find((name) => /^test_.*\.py$|^.*_test\.py$/.test(name)) ??
    (has('tests') && files.some((name) => name.endsWith('.py')) ? 'tests' : undefined);
  return python === undefined ? null : { command: PYTHON, because: python };
}

function hasTestScript(text: string): boolean {
  try {
    const script = (JSON.parse(text) as { scripts?: { test?: unknown } }).scripts?.test;
    return typeof script === 'string' && script.trim() !== '' && !NO_TESTS.test(script);
  } catch {
    return false;
  }
}

const FAILING =
  /(?:^|\s)(?:FAIL(?:ED|URES?)?|ERROR|✗|✖|×|not ok|AssertionError|panicked at|\d+ (?:failed|failing|errors?))(?=[\s:(!.,]|$)/;

/** Lines of an output that speak of a failure, as they are. */
export function failingLines(output: string, most = 20): string[] {
  const lines = new Set<string>();
  for (const line of output.split('\n')) {
    if (lines.size >= most) break;
    if (FAILING.test(line)) lines.add(line.trim().slice(0, 300));
  }
  return [...lines];
}
