// The Publisher: reads what a project shows of itself, has a page of documentation written from it, and puts the page into the
// workspace once a person has said yes. Links that lead nowhere are named.
import type { Language } from '../../intent.js';
import { logLine } from '../../tasks/log-lines.js';
import { filesOf, framed, likelyFolders, needed, type ProcedureWork } from './procedure.js';

const MATERIAL_CHARS = 12_000;
const EACH_FILE_CHARS = 3_000;
const MOST_FILES = 6;
const MOST_LISTED = 120;
const PAGE_TOKENS = 4_096;
/** What tells most of a project, best first. */
const TELLING =
  /^(?:readme(?:\.\w+)?|package\.json|pyproject\.toml|cargo\.toml|go\.mod|makefile|(?:index|main|app|cli|server)\.\w+)$/i;
const TEXT = /\.(?:md|txt|ts|tsx|js|mjs|py|rs|go|java|kt|cs|c|h|cpp|rb|php|sh|toml|json|ya?ml|sql)$|^makefile$/i;

const WRITES =
  /(?<!\p{L})(?:write|create|make|generate|add|update|prepare|draft|document|publish|napisz|stw[oó]rz|utw[oó]rz|przygotuj|wygeneruj|dodaj|zaktualizuj|udokumentuj|opublikuj|schreibe?|erstelle?|erzeuge|ergänze|aktualisiere|dokumentiere|veröffentliche)(?!\p{L})/iu;

/** Looking something up in documents is left to an agent with tools. */
export const writesAPage = (text: string): boolean => WRITES.test(text);

export async function publisherProcedure(work: ProcedureWork): Promise<string> {
  const words = WORDS[work.language];
  // Half for the page as it is, half for the rest, where there is one.
  const room = Math.min(MATERIAL_CHARS, Math.floor(work.roomChars / 2));
  const { folder, material, sources } = await look(work, room);
  const target = targetOf(work.text, folder, sources);
  const existing = await work.call('file__read_file', { file_path: target });
  work.note(logLine('page', { page: target, value: sources.length }));
  const request = [
    work.text,
    material === '' ? 'The workspace shows nothing of the project.' : `What the project shows of itself:\n${material}`,
    existing.failed ? '' : `The page as it is now:\n${framed(existing, (text) => text.slice(0, room))}`,
    `Write the whole page ${target} in Markdown, beginning with its title, for people who have never seen the project. Only what is shown above is known: leave out what it does not say. Answer with the page alone.`,
  ];
  const page = pageOf(await work.write(request.filter(Boolean).join('\n\n'), { shown: true, maxTokens: PAGE_TOKENS }));
  work.say('\n\n---\n');
  const written = await work.call('file__write_file', { file_path: target, content: `${page}\n` });
  const end: string[] = [];
  const say = (text: string) => {
    end.push(text);
    work.say(`${text}\n\n`);
  };
  if (written.failed) say(`**${words.notWritten(target)}** ${written.text}`);
  else {
    say(`**${words.written(target, page.length, !existing.failed)}**`);
    const broken = await brokenLinks(work, target);
    if (broken.length > 0) say(`${words.broken}\n${broken.map((link) => `- \`${link}\``).join('\n')}`);
  }
  say(sources.length === 0 ? words.noSources : words.from(sources.map((source) => `\`${source}\``).join(', ')));
  return `${page}\n\n---\n${end.join('\n\n')}`;
}

async function look(
  work: ProcedureWork,
  room: number,
): Promise<{ folder: string; material: string; sources: string[] }> {
  const folders = await likelyFolders(work);
  const folder = folders.length === 1 ? (folders[0] as string) : '.';
  const listed = needed(await work.call('file__list_files', { directory: folder, recursive: true, max_depth: 3 }));
  const files = filesOf(listed)
    .filter(({ kind, path }) => kind === 'file' && !/(?:^|\/)(?:\.|node_modules\/|custom\/)/.test(path))
    .map(({ path }) => path);
  const parts = files.length === 0 ? [] : [framed(listed, () => files.slice(0, MOST_LISTED).join('\n'))];
  const named = files.filter((path) => work.text.includes(path) || work.text.includes(nameOf(path)));
  const telling = files.filter((path) => TELLING.test(nameOf(path)));
  const rest = files.filter((path) => TEXT.test(nameOf(path)));
  const sources: string[] = [];
  let chars = parts.join('').length;
  for (const path of new Set([...named, ...telling, ...rest])) {
    if (sources.length >= MOST_FILES || chars >= room) break;
    const read = await work.call('file__read_file', { file_path: path });
    if (read.failed || read.text.trim() === '') continue;
    const left = Math.min(EACH_FILE_CHARS, room - chars);
    const text = framed(read, (whole) => whole.slice(0, left));
    parts.push(`${path}:\n${text}`);
    chars += text.length;
    sources.push(path);
  }
  return { folder, material: parts.join('\n\n'), sources };
}

/** A file the words name; else a README where that is what is asked for; else a page of its own under docs/. */
export function targetOf(text: string, folder: string, sources: readonly string[]): string {
  const inFolder = (path: string) => (folder === '.' || path.startsWith(`${folder}/`) ? path : `${folder}/${path}`);
  const named = /(?<![\w/.-])(?<path>[\w-][\w./-]{0,150}\.(?:md|markdown))(?![\w/])/i.exec(text)?.groups?.['path'];
  if (named && !named.includes('..')) return inFolder(named);
  if (/\breadme\b/i.test(text))
    return sources.find((path) => /^readme\.(?:md|markdown)$/i.test(nameOf(path))) ?? inFolder('README.md');
  if (/\bchangelog\b/i.test(text)) return inFolder('CHANGELOG.md');
  if (/\bcontributing\b/i.test(text)) return inFolder('CONTRIBUTING.md');
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/ł/g, 'l')
    .replace(/[^a-z0-9]+/g, ' ')
    .split(' ')
    .filter((word) => word.length > 2 && !FILLER.has(word))
    .slice(0, 4)
    .join('-');
  return inFolder(`docs/${slug || 'page'}.md`);
}

const FILLER: ReadonlySet<string> = new Set(
  'write create make generate add update prepare draft document documentation docs page please the for about our this project with how and napisz stworz przygotuj dokumentacje dla jak projektu prosze strone schreibe erstelle bitte die das der eine dokumentation seite fur uber projekt'.split(
    ' ',
  ),
);

/** A model puts the page into a block, or a sentence in front of it. */
export function pageOf(answer: string): string {
  const block = /^\s*(?<fence>`{3,})(?:markdown|md)?\s*\n(?<page>[\s\S]*?)\n\k<fence>\s*$/i.exec(answer)?.groups?.[
    'page'
  ];
  const text = (block ?? answer).trim();
  const title = text.search(/^#\s/m);
  return title > 0 && title < 300 && block === undefined ? text.slice(title) : text;
}

async function brokenLinks(work: ProcedureWork, target: string): Promise<string[]> {
  const folder = target.includes('/') ? target.slice(0, target.lastIndexOf('/')) : '.';
  const checked = await work.call('docs__check_docs_structure', { directory: folder });
  if (checked.failed) return [];
  const documents = (checked.structured as { documents?: { path: string; brokenLinks?: string[] }[] } | null)
    ?.documents;
  return documents?.find(({ path }) => path === target)?.brokenLinks?.slice(0, 20) ?? [];
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

interface Words {
  written: (path: string, chars: number, replaced: boolean) => string;
  notWritten: (path: string) => string;
  broken: string;
  from: (files: string) => string;
  noSources: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    written: (path, chars, replaced) => `${replaced ? 'Replaced' : 'Written to'} \`${path}\` (${chars} characters).`,
    notWritten: (path) => `\`${path}\` was not written.`,
    broken: 'Links in it that lead to no file:',
    from: (files) => `Written from ${files}.`,
    noSources: 'There was no file to write it from.',
  },
  pl: {
    written: (path, chars, replaced) => `${replaced ? 'Zastąpiono' : 'Zapisano'} \`${path}\` (${chars} znaków).`,
    notWritten: (path) => `Nie zapisano \`${path}\`.`,
    broken: 'Odnośniki, które nie prowadzą do żadnego pliku:',
    from: (files) => `Na podstawie ${files}.`,
    noSources: 'Nie było pliku, na którym można by się oprzeć.',
  },
  de: {
    written: (path, chars, replaced) => `\`${path}\` ${replaced ? 'ersetzt' : 'geschrieben'} (${chars} Zeichen).`,
    notWritten: (path) => `\`${path}\` wurde nicht geschrieben.`,
    broken: 'Verweise darin, die zu keiner Datei führen:',
    from: (files) => `Nach ${files}.`,
    noSources: 'Es gab keine Datei, nach der sie sich schreiben ließe.',
  },
};
