// The Tester: finds how the project's tests are run, runs them in the sandbox, and tells what failed with the output as
// evidence. The verdict is the command's exit code; what was not run is said to be not run.
import type { Language } from '../../intent.js';
import {
  failureOf,
  fenced,
  filesOf,
  framed,
  lastOf,
  likelyFolders,
  type ProcedureWork,
  wasRefused,
} from './procedure.js';
import { commandInWords, failingLines, TELLING_FILES, type TestCommand, testCommand } from './test-command.js';

const TEST_SECONDS = 300;
const EVIDENCE_CHARS = 6_000;
const READ_CHARS = 8_000;
const READING_TOKENS = 700;

/** What is to be clicked in a browser is another tool's work. */
export const runsTests = (text: string): boolean => !/https?:\/\/|\b(?:browser|click|screenshot)\b/i.test(text);

export async function testerProcedure(work: ProcedureWork): Promise<string> {
  const words = WORDS[work.language];
  const found = await findTests(work);
  if (found === null) return said(work, words.noTests(TELLING_FILES.join(', ')));
  const { folder, command, because } = found;
  work.note(`Tests: ${command} in ${folder}, told by ${because}.`);
  work.say(`${words.runs(command, folder, because)}\n\n`);
  const run = await work.call('shell__run_shell', { command, folder, timeout: TEST_SECONDS });
  if (wasRefused(run)) return said(work, `${words.notRun} ${run.text}`, words.runs(command, folder, because));
  const result = run.structured as { exit_code?: number; stdout?: string; stderr?: string } | null;
  if (run.failed && run.errorCode !== 'tool_timeout' && run.errorCode !== 'tool_failed') throw failureOf(run);
  const exitCode = run.failed ? null : (result?.exit_code ?? null);
  const output = [result?.stdout, result?.stderr].filter(Boolean).join('\n') || run.text;
  // Some runners say that nothing was tested and end well all the same.
  const nothing =
    exitCode === 0 && /\b(?:ran 0 tests|no tests? (?:found|ran|files?)|collected 0 items)\b/i.test(output);
  const verdict = run.failed
    ? words.broke(run.text)
    : nothing || (exitCode === 5 && command.includes('pytest'))
      ? words.nothingTested
      : exitCode === 0
        ? words.passed
        : words.failed(exitCode ?? -1);
  const failing = exitCode === 0 ? [] : failingLines(output);
  const head = [
    `**${verdict}**`,
    failing.length > 0
      ? `${words.failingLines}\n${failing.map((line) => `- \`${line.replaceAll('`', "'")}\``).join('\n')}`
      : '',
  ];
  work.say(`${head.filter(Boolean).join('\n\n')}\n\n`);
  let reading = '';
  if (exitCode !== 0 && !work.small) {
    work.say(`### ${words.reading}\n\n`);
    const text = await work.write(
      `Tests were run with \`${command}\`. ${verdict}\nThis is the end of their output:\n${framed(run, (text) => lastOf(text, Math.min(READ_CHARS, work.roomChars)))}\n\nSay which tests failed, each with the line of the output that shows it, and what the likely cause is. What the output does not show, you do not know.`,
      { shown: true, maxTokens: READING_TOKENS },
    );
    reading = `### ${words.reading}\n\n${text.trim()}`;
    work.say('\n\n');
  }
  const evidence = `### ${words.evidence}\n\n${words.ran(command, folder, exitCode)}\n\n${fenced(lastOf(output, EVIDENCE_CHARS), 'text')}`;
  work.say(evidence);
  return [...head, reading, evidence].filter(Boolean).join('\n\n');
}

async function findTests(work: ProcedureWork): Promise<(TestCommand & { folder: string }) | null> {
  const folders = await likelyFolders(work);
  const asked = commandInWords(work.text);
  if (asked) return { ...asked, folder: folders.length === 1 ? (folders[0] as string) : '.' };
  for (const folder of folders) {
    const listed = await work.call('file__list_files', { directory: folder });
    const files = filesOf(listed).map(({ path }) => path.replace(/\/$/, '').split('/').at(-1) ?? '');
    const texts: Record<string, string> = {};
    for (const name of TELLING_FILES.filter((file) => files.includes(file))) {
      const read = await work.call('file__read_file', { file_path: folder === '.' ? name : `${folder}/${name}` });
      if (!read.failed) texts[name] = read.text;
    }
    const command = testCommand({ files, texts });
    if (command) return { ...command, folder };
  }
  return null;
}

function said(work: ProcedureWork, text: string, before = ''): string {
  work.say(text);
  return [before, text].filter(Boolean).join('\n\n');
}

interface Words {
  runs: (command: string, folder: string, because: string) => string;
  ran: (command: string, folder: string, exitCode: number | null) => string;
  noTests: (files: string) => string;
  notRun: string;
  passed: string;
  failed: (exitCode: number) => string;
  broke: (why: string) => string;
  nothingTested: string;
  failingLines: string;
  reading: string;
  evidence: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    runs: (command, folder, because) => `Tests: \`${command}\` in \`${folder}\` (told by ${because}).`,
    ran: (command, folder, code) => `\`${command}\` in \`${folder}\`, exit code ${code ?? 'none'}.`,
    noTests: (files) =>
      `Nothing was run: no project in the workspace says how it is tested (looked at ${files} and what else names tests). Name the command in backticks, such as \`make check\`.`,
    notRun: 'Nothing was run.',
    passed: 'All tests passed.',
    failed: (code) => `Tests failed (exit code ${code}).`,
    broke: (why) => `The tests did not come to an end: ${why}`,
    nothingTested: 'The command ended, but it found no tests.',
    failingLines: 'What the output says of it:',
    reading: 'What the model reads in it',
    evidence: 'Output',
  },
  pl: {
    runs: (command, folder, because) => `Testy: \`${command}\` w \`${folder}\` (według ${because}).`,
    ran: (command, folder, code) => `\`${command}\` w \`${folder}\`, kod wyjścia ${code ?? 'brak'}.`,
    noTests: (files) =>
      `Niczego nie uruchomiono: żaden projekt w obszarze roboczym nie mówi, jak go testować (sprawdzono ${files} i inne ślady testów). Podaj polecenie w odwrotnych apostrofach, na przykład \`make check\`.`,
    notRun: 'Niczego nie uruchomiono.',
    passed: 'Wszystkie testy przeszły.',
    failed: (code) => `Testy nie przeszły (kod wyjścia ${code}).`,
    broke: (why) => `Testy nie dobiegły końca: ${why}`,
    nothingTested: 'Polecenie się zakończyło, ale nie znalazło testów.',
    failingLines: 'Co mówi o tym wynik:',
    reading: 'Co odczytuje z tego model',
    evidence: 'Wynik',
  },
  de: {
    runs: (command, folder, because) => `Tests: \`${command}\` in \`${folder}\` (laut ${because}).`,
    ran: (command, folder, code) => `\`${command}\` in \`${folder}\`, Exit-Code ${code ?? 'keiner'}.`,
    noTests: (files) =>
      `Nichts wurde ausgeführt: Kein Projekt im Arbeitsbereich sagt, wie es getestet wird (gesucht in ${files} und anderen Spuren von Tests). Den Befehl in Backticks nennen, etwa \`make check\`.`,
    notRun: 'Nichts wurde ausgeführt.',
    passed: 'Alle Tests sind gelungen.',
    failed: (code) => `Tests sind fehlgeschlagen (Exit-Code ${code}).`,
    broke: (why) => `Die Tests kamen nicht zu Ende: ${why}`,
    nothingTested: 'Der Befehl endete, fand aber keine Tests.',
    failingLines: 'Was die Ausgabe dazu sagt:',
    reading: 'Was das Modell darin liest',
    evidence: 'Ausgabe',
  },
};
