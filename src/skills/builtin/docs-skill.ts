// Documentation in the workspace: which Markdown files there are, their headings, and links that lead nowhere.
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { BaseSkill, type SkillContext, skillFunction } from '../base-skill.js';

const MAX_FILES = 500;
const MAX_FILE_BYTES = 1_048_576;
const MAX_DEPTH = 8;
const MAX_LINKS_PER_FILE = 500;

export class DocsSkill extends BaseSkill {
  readonly id = 'docs';
  readonly description = 'Looks after Markdown documentation in the workspace.';
  readonly functions = [
    skillFunction({
      name: 'check_docs_structure',
      description: 'Markdown documentation of a folder: files, headings, and links that lead to no file.',
      input: z.object({ directory: z.string().min(1).max(4_096).default('.') }),
      readOnly: true,
      run: async ({ directory }, context) => {
        const { files, cut } = await markdownFiles(directory, context);
        const documents = [];
        for (const file of files) documents.push(await checked(file, context));
        const broken = documents.flatMap(({ path, brokenLinks }) => brokenLinks.map((link) => `${path}: ${link}`));
        return {
          text: [
            ...documents.map(
              ({ path, headings }) => `${path}\n${headings.map((heading) => `  ${heading}`).join('\n')}`,
            ),
            broken.length > 0 ? `Links that lead nowhere:\n${broken.join('\n')}` : 'No link leads nowhere.',
            ...(cut ? [`[only the first ${MAX_FILES} files]`] : []),
          ].join('\n'),
          structured: { documents, cut },
          untrusted: true,
        };
      },
    }),
  ];
}

async function markdownFiles(directory: string, { workspace, signal }: SkillContext) {
  const files: string[] = [];
  let cut = false;
  const walk = async (folder: string, left: number): Promise<void> => {
    signal.throwIfAborted();
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (files.length >= MAX_FILES) {
        cut = true;
        return;
      }
      const path = join(folder, entry.name);
      if (entry.isDirectory() && left > 1 && entry.name !== '.git' && entry.name !== 'node_modules')
        await walk(path, left - 1);
      else if (entry.isFile() && /\.(md|markdown)$/i.test(entry.name)) files.push(path);
    }
  };
  await walk(await workspace.existing(directory), MAX_DEPTH);
  return { files: files.sort(), cut };
}

async function checked(file: string, { workspace, signal }: SkillContext) {
  signal.throwIfAborted();
  const text = (await workspace.read(file, MAX_FILE_BYTES)).toString('utf8').replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
  const headings = [...text.matchAll(/^#{1,6} .{1,200}/gm)].slice(0, 100).map(([heading]) => heading);
  const brokenLinks: string[] = [];
  for (const [, link] of [...text.matchAll(/\]\(([^)\s#]{1,500})[^)]{0,500}\)/g)].slice(0, MAX_LINKS_PER_FILE)) {
    if (link === undefined || /^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('/')) continue;
    const there = await workspace.existing(join(dirname(file), decodedLink(link))).then(
      () => true,
      () => false,
    );
    if (!there) brokenLinks.push(link);
  }
  return { path: workspace.name(file), headings, brokenLinks };
}

function decodedLink(link: string): string {
  try {
    return decodeURIComponent(link);
  } catch {
    return link;
  }
}
