// What the next version is and what changed, told by commits alone. Pure.

export interface Commit {
  hash: string;
  subject: string;
  body: string;
}

export type Bump = 'major' | 'minor' | 'patch' | 'first' | 'named';

export interface Version {
  version: string;
  bump: Bump;
}

const SUBJECT = /^(?<type>[a-z]+)(?:\((?<scope>[^)]{1,60})\))?(?<breaking>!)?:\s+(?<text>.+)$/i;

/** A version the words name, or the next one: breaking, new, or mended. Below 1.0 what breaks counts as new. */
export function nextVersion(lastTag: string | null, commits: readonly Commit[], words: string): Version {
  const named = /(?<![\w.])v?(?<version>\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z.-]{1,40})?)(?![\w.]*\d)/.exec(words);
  if (named?.groups) return { version: named.groups['version'] as string, bump: 'named' };
  const last = /^[^\d]*(?<major>\d{1,6})\.(?<minor>\d{1,6})\.(?<patch>\d{1,6})/.exec(lastTag ?? '')?.groups;
  if (!last) return { version: '0.1.0', bump: 'first' };
  const [major, minor, patch] = [Number(last['major']), Number(last['minor']), Number(last['patch'])];
  const bump = commits.some(isBreaking)
    ? 'major'
    : commits.some(({ subject }) => typeOf(subject) === 'feat')
      ? 'minor'
      : 'patch';
  if (bump === 'major' && major > 0) return { version: `${major + 1}.0.0`, bump };
  if (bump === 'major' || bump === 'minor') return { version: `${major}.${minor + 1}.0`, bump };
  return { version: `${major}.${minor}.${patch + 1}`, bump };
}

export type ChangeKind = 'breaking' | 'added' | 'fixed' | 'changed';

/** Commits by what they mean to a user; merges say nothing of their own. */
export function changesOf(commits: readonly Commit[]): Record<ChangeKind, Commit[]> {
  const changes: Record<ChangeKind, Commit[]> = { breaking: [], added: [], fixed: [], changed: [] };
  for (const commit of commits) {
    const type = typeOf(commit.subject);
    const kind: ChangeKind = isBreaking(commit)
      ? 'breaking'
      : type === 'feat'
        ? 'added'
        : type === 'fix' || /^fix(?:es|ed)?\b/i.test(commit.subject)
          ? 'fixed'
          : 'changed';
    changes[kind].push(commit);
  }
  return changes;
}

/** A subject without its type: what a reader of a changelog wants. */
export function plainSubject(subject: string): string {
  const match = SUBJECT.exec(subject)?.groups;
  const isType = match && KNOWN_TYPES.has((match['type'] ?? '').toLowerCase());
  const text = isType ? `${match['scope'] ? `${match['scope']}: ` : ''}${match['text']}` : subject;
  return text.trim();
}

/** Lines of a rewritten changelog that stand for a commit there is; whatever else was written is left out. */
export function linesOfCommits(text: string, commits: readonly Commit[]): string[] {
  return text.split('\n').flatMap((line) => {
    const bullet = /^\s*[-*•]\s+(?<said>.{3,400})$/.exec(line)?.groups?.['said'];
    if (!bullet) return [];
    return commits.some(({ hash }) => bullet.includes(hash)) ? [`- ${bullet.trim()}`] : [];
  });
}

const KNOWN_TYPES: ReadonlySet<string> = new Set(
  'feat fix docs style refactor perf test tests build ci chore revert'.split(' '),
);

const typeOf = (subject: string): string => (SUBJECT.exec(subject)?.groups?.['type'] ?? '').toLowerCase();

const isBreaking = ({ subject, body }: Commit): boolean =>
  SUBJECT.exec(subject)?.groups?.['breaking'] === '!' || /^BREAKING[ -]CHANGE:/m.test(body);
