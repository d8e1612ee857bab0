import { describe, expect, it } from 'vitest';
import { pageOf, targetOf } from './publisher.js';
import { wantsTag } from './release.js';
import { changesOf, linesOfCommits, nextVersion, plainSubject } from './release-plan.js';
import { commandInWords, failingLines, testCommand } from './test-command.js';

const commit = (subject: string, body = '', hash = 'abc1234') => ({ hash, subject, body });

describe('nextVersion', () => {
  it.each([
    ['v1.2.3', ['fix: a'], '', '1.2.4', 'patch'],
    ['v1.2.3', ['feat(ui): a', 'fix: b'], '', '1.3.0', 'minor'],
    ['1.2.3', ['feat!: a'], '', '2.0.0', 'major'],
    ['v0.4.1', ['refactor!: a'], '', '0.5.0', 'major'],
    ['release-2.0.9', ['docs: a'], '', '2.0.10', 'patch'],
    [null, ['first'], '', '0.1.0', 'first'],
    ['nightly', ['first'], '', '0.1.0', 'first'],
    ['v1.2.3', ['fix: a'], 'Release version 3.0.0-rc.1 please', '3.0.0-rc.1', 'named'],
  ] as const)('after %s with %j', (tag, subjects, words, version, bump) => {
    expect(
      nextVersion(
        tag,
        subjects.map((subject) => commit(subject)),
        words,
      ),
    ).toEqual({ version, bump });
  });

  it('takes a breaking change from the body', () => {
    expect(nextVersion('v1.0.0', [commit('fix: a', 'Text.\n\nBREAKING CHANGE: gone')], '').version).toBe('2.0.0');
  });
});

it('tells kinds of changes apart and words them for a reader', () => {
  const changes = changesOf(
    ['feat: new', 'fix(db): mended', 'Fixes a crash', 'chore!: gone', 'tidy'].map((s) => commit(s)),
  );
  const subjects = Object.fromEntries(
    Object.entries(changes).map(([kind, list]) => [kind, list.map((c) => c.subject)]),
  );
  expect(subjects).toEqual({
    breaking: ['chore!: gone'],
    added: ['feat: new'],
    fixed: ['fix(db): mended', 'Fixes a crash'],
    changed: ['tidy'],
  });
  expect(plainSubject('fix(db): mended')).toBe('db: mended');
  expect(plainSubject('chat: keeps pictures')).toBe('chat: keeps pictures');
});

it('keeps of a rewritten changelog only what a commit stands for', () => {
  expect(linesOfCommits('Here:\n- You can do it (abc1234)\n- Invented (fff0000)\nmore', [commit('x')])).toEqual([
    '- You can do it (abc1234)',
  ]);
});

it.each([
  ['Release version 1.2.0', true],
  ['Tag the release', true],
  ['Prepare the next release', false],
  ['Przygotuj wydanie', false],
  ['Schlage eine Version vor', false],
  ['Prepare the release and tag it', true],
])('%s: sets a tag %s', (text, wanted) => {
  expect(wantsTag(text)).toBe(wanted);
});

describe('testCommand', () => {
  const npm = (test: string) => JSON.stringify({ scripts: { test } });
  it.each([
    ['npm', { files: ['package.json'], texts: { 'package.json': npm('vitest run') } }, 'npm test --silent'],
    [
      'no npm tests',
      { files: ['package.json'], texts: { 'package.json': npm('echo "Error: no test specified"') } },
      null,
    ],
    ['make', { files: ['Makefile'], texts: { Makefile: 'all:\n\ntest: all\n\tgo\n' } }, 'make test'],
    ['a Makefile without tests', { files: ['Makefile'], texts: { Makefile: 'all:\n' } }, null],
    ['cargo', { files: ['Cargo.toml'], texts: {} }, 'cargo test --offline'],
    ['nothing', { files: ['README.md'], texts: {} }, null],
    ['broken JSON', { files: ['package.json'], texts: { 'package.json': '{' } }, null],
  ])('%s', (_name, facts, command) => {
    expect(testCommand(facts as never)?.command ?? null).toBe(command);
  });

  it('finds Python tests by their names', () => {
    expect(testCommand({ files: ['test_shop.py'], texts: {} })).toMatchObject({ because: 'test_shop.py' });
  });

  it.each([
    ['Run `make check` please', 'make check'],
    ['Run the tests of `shop`', null],
    ['Run `./test.sh`', './test.sh'],
    ['no command', null],
  ])('%s', (text, command) => {
    expect(commandInWords(text)?.command ?? null).toBe(command);
  });
});

it('names the lines of an output that speak of failures', () => {
  const output =
    'ok 1\nnot ok 2 - adds\nFAILED test_shop.py::test_add\nAssertionError: 1 != 2\nfailover works\n3 failed, 2 passed';
  expect(failingLines(output)).toEqual([
    'not ok 2 - adds',
    'FAILED test_shop.py::test_add',
    'AssertionError: 1 != 2',
    '3 failed, 2 passed',
  ]);
});

describe('the page of the Publisher', () => {
  it.each([
    ['Write docs/usage.md for it', '.', [], 'docs/usage.md'],
    ['Write usage.md', 'shop', [], 'shop/usage.md'],
    ['Write a README', '.', ['README.md'], 'README.md'],
    ['Update the README', 'shop', ['shop/readme.md'], 'shop/readme.md'],
    ['Write ../../etc/passwd.md', '.', [], 'docs/etc-passwd.md'],
    ['Napisz dokumentację instalacji', '.', [], 'docs/instalacji.md'],
    ['Write documentation', '.', [], 'docs/page.md'],
  ])('%s in %s', (text, folder, sources, target) => {
    expect(targetOf(text, folder, sources)).toBe(target);
  });

  it('is taken out of a block and the words around it', () => {
    expect(pageOf('```markdown\n# Shop\n\n```sh\nrun\n```\n```')).toBe('# Shop\n\n```sh\nrun\n```');
    expect(pageOf('Here it is:\n# Shop\nText')).toBe('# Shop\nText');
    expect(pageOf('No title')).toBe('No title');
  });
});
