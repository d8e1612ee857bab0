// The Release Manager: reads what was committed since the last tag, proposes a version and a changelog, and sets the tag only
// when it was asked for and a person has said yes. Nothing is pushed: there is no network here.
import { AppError } from '../../../shared/errors.js';
import type { Language } from '../../intent.js';
import type { ToolFinding } from '../../task-ports.js';
import { logLine } from '../../tasks/log-lines.js';
import { failureOf, framed, likelyFolders, needed, type ProcedureWork, wasRefused } from './procedure.js';
import {
  type Bump,
  type ChangeKind,
  type Commit,
  changesOf,
  linesOfCommits,
  nextVersion,
  plainSubject,
} from './release-plan.js';

const MAX_REWRITTEN = 60;
const REWRITE_TOKENS = 1_500;

/** "Prepare", "propose", "what would": nothing is to be changed yet. */
const ONLY_PROPOSES =
  /(?<!\p{L})(?:prepare|propose|suggest|draft|plan|what (?:would|will|should|changed)|changelog|release notes|przygotuj|zaproponuj|co się zmieniło|bereite?|vorbereiten|schlage?|vorschlag\p{L}*|entwurf|was (?:wäre|hat sich))(?!\p{L})/iu;
const TAGS = /(?<!\p{L})(?:tag(?:ge[dn]?|s)?|otaguj\p{L}*|oznacz\p{L}*)(?!\p{L})/iu;

export const wantsTag = (text: string): boolean => TAGS.test(text) || !ONLY_PROPOSES.test(text);

interface Since {
  tag: string | null;
  commits: Commit[];
  cut: boolean;
}

export async function releaseProcedure(work: ProcedureWork): Promise<string> {
  const words = WORDS[work.language];
  const parts: string[] = [];
  const say = (text: string) => {
    parts.push(text);
    work.say(`${text}\n\n`);
  };
  const { folder, found } = await repository(work);
  const { tag, commits, cut } = found.structured as Since;
  work.note(logLine('commits', { value: commits.length, tag: tag ?? 'the beginning', folder }));
  if (commits.length === 0) {
    say(words.nothing(tag, folder));
    return parts.join('\n\n');
  }
  const { version, bump } = nextVersion(tag, commits, work.text);
  const name = tag !== null && !/^v/i.test(tag) ? version : `v${version}`;
  say(`**${words.proposes(name)}** ${words.bump[bump]} ${words.since(tag, commits.length, cut)}`);
  say(`### ${name}\n\n${changelog(commits, words)}`);
  if (!work.small && commits.length <= MAX_REWRITTEN) {
    const text = await work.write(
      `These commits are in a new release:\n${framed(found, (text) => text.slice(0, work.roomChars))}\n\nWrite one bullet per change a user notices, in a user's words, each ending with the hash of its commit in parentheses. Leave out what users do not notice. Say nothing that the commits do not say.`,
      { maxTokens: REWRITE_TOKENS },
    );
    const lines = linesOfCommits(text, commits);
    if (lines.length > 0) say(`### ${words.forUsers}\n\n${lines.join('\n')}`);
  }
  say(await tagged(work, folder, name, words));
  return parts.join('\n\n');
}

async function repository(work: ProcedureWork): Promise<{ folder: string; found: ToolFinding }> {
  const folders = await likelyFolders(work);
  let problem = 'There is no folder to look in.';
  for (const folder of folders) {
    const found = await work.call('git__get_log_since_tag', { repository: folder });
    if (!found.failed) return { folder, found };
    if (found.errorCode !== 'invalid_input') throw failureOf(found);
    problem = found.text;
  }
  throw new AppError('invalid_input', `No git repository with commits was found in the workspace. ${problem}`);
}

async function tagged(work: ProcedureWork, folder: string, name: string, words: Words): Promise<string> {
  if (!wantsTag(work.text)) return words.onlyProposed(name);
  const status = needed(await work.call('git__get_short_status', { repository: folder }));
  const changed = status.text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('##'));
  if (changed.length > 0) return `${words.notTagged} ${words.dirty(changed.length)}`;
  const set = await work.call('git__create_tag', { repository: folder, tag_name: name, message: name });
  if (wasRefused(set) || set.failed) return `${words.notTagged} ${set.text}`;
  return words.tagged(name, set.text);
}

const KINDS: readonly ChangeKind[] = ['breaking', 'added', 'fixed', 'changed'];

function changelog(commits: readonly Commit[], words: Words): string {
  const changes = changesOf(commits);
  return KINDS.filter((kind) => changes[kind].length > 0)
    .map((kind) => {
      const lines = changes[kind].map(({ hash, subject }) => `- ${plainSubject(subject)} (${hash})`);
      return `**${words.kinds[kind]}**\n${lines.join('\n')}`;
    })
    .join('\n\n');
}

interface Words {
  proposes: (name: string) => string;
  bump: Readonly<Record<Bump, string>>;
  since: (tag: string | null, count: number, cut: boolean) => string;
  nothing: (tag: string | null, folder: string) => string;
  kinds: Readonly<Record<ChangeKind, string>>;
  forUsers: string;
  onlyProposed: (name: string) => string;
  notTagged: string;
  dirty: (files: number) => string;
  tagged: (name: string, at: string) => string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    proposes: (name) => `Next version: ${name}.`,
    bump: {
      major: 'Something breaks for its users.',
      minor: 'There is something new.',
      patch: 'Things were mended or changed inside.',
      first: 'It is the first one: there is no tag with a version yet.',
      named: 'You named it.',
    },
    since: (tag, count, cut) =>
      `Told by ${count}${cut ? ' newest' : ''} commits since ${tag === null ? 'the beginning' : `\`${tag}\``}.`,
    nothing: (tag, folder) =>
      tag === null ? `There are no commits in \`${folder}\`.` : `Nothing to release: no commits since \`${tag}\`.`,
    kinds: { breaking: 'Breaking', added: 'Added', fixed: 'Fixed', changed: 'Changed' },
    forUsers: 'For users, as the model words it',
    onlyProposed: (name) =>
      `No tag was set; say “tag ${name}” to have it set. Tests were not run and nothing was pushed.`,
    notTagged: 'No tag was set.',
    dirty: (files) => `Files with changes that are not committed: ${files}.`,
    tagged: (name, at) => `Tag \`${name}\` is set: ${at} Tests were not run and nothing was pushed.`,
  },
  pl: {
    proposes: (name) => `Następna wersja: ${name}.`,
    bump: {
      major: 'Coś przestaje działać po staremu.',
      minor: 'Jest coś nowego.',
      patch: 'Poprawki i zmiany wewnątrz.',
      first: 'To pierwsza: nie ma jeszcze tagu z wersją.',
      named: 'Podano ją w prośbie.',
    },
    since: (tag, count, cut) =>
      `Według ${count}${cut ? ' najnowszych' : ''} commitów od ${tag === null ? 'początku' : `\`${tag}\``}.`,
    nothing: (tag, folder) =>
      tag === null ? `W \`${folder}\` nie ma commitów.` : `Nie ma czego wydawać: brak commitów od \`${tag}\`.`,
    kinds: { breaking: 'Niezgodne', added: 'Dodane', fixed: 'Poprawione', changed: 'Zmienione' },
    forUsers: 'Dla użytkowników, słowami modelu',
    onlyProposed: (name) =>
      `Tagu nie utworzono; napisz „otaguj ${name}”, aby powstał. Testów nie uruchomiono i niczego nie wypchnięto.`,
    notTagged: 'Tagu nie utworzono.',
    dirty: (files) => `Plików z niezatwierdzonymi zmianami: ${files}.`,
    tagged: (name, at) => `Tag \`${name}\` utworzono: ${at} Testów nie uruchomiono i niczego nie wypchnięto.`,
  },
  de: {
    proposes: (name) => `Nächste Version: ${name}.`,
    bump: {
      major: 'Etwas bricht für die Benutzer.',
      minor: 'Es gibt etwas Neues.',
      patch: 'Behobenes und Änderungen im Inneren.',
      first: 'Es ist die erste: noch kein Tag nennt eine Version.',
      named: 'Sie wurde genannt.',
    },
    since: (tag, count, cut) =>
      `Laut ${count}${cut ? ' neuesten' : ''} Commits seit ${tag === null ? 'dem Anfang' : `\`${tag}\``}.`,
    nothing: (tag, folder) =>
      tag === null
        ? `In \`${folder}\` sind keine Commits.`
        : `Nichts zu veröffentlichen: keine Commits seit \`${tag}\`.`,
    kinds: { breaking: 'Unverträglich', added: 'Neu', fixed: 'Behoben', changed: 'Geändert' },
    forUsers: 'Für Benutzer, in den Worten des Modells',
    onlyProposed: (name) =>
      `Kein Tag wurde gesetzt; mit „tag ${name}“ wird er gesetzt. Tests liefen nicht, und nichts wurde übertragen.`,
    notTagged: 'Kein Tag wurde gesetzt.',
    dirty: (files) => `Dateien mit Änderungen ohne Commit: ${files}.`,
    tagged: (name, at) => `Tag \`${name}\` ist gesetzt: ${at} Tests liefen nicht, und nichts wurde übertragen.`,
  },
};
