import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skillContext } from '../../../test/stand-ins/skill-context.js';
import { Workspace } from '../workspace.js';
import { DocsSkill } from './docs-skill.js';
import { MemorySkill, ModelsSkill, TimeSkill } from './everyday-skills.js';

const context = skillContext(undefined as never, { labels: ['email'], requestId: 'request-1', sessionId: 's-1' });

describe('everyday skills', () => {
  it('tells the time in UTC and in a zone, and refuses a zone there is not', async () => {
    const skill = new TimeSkill(() => Date.UTC(2026, 6, 1, 12, 0, 0));
    expect((await skill.invoke('now', {}, context)).text).toBe('2026-07-01T12:00:00.000Z');
    expect((await skill.invoke('now', { time_zone: 'Europe/Warsaw' }, context)).text).toContain('14:00:00');
    await expect(skill.invoke('now', { time_zone: 'Mars/Crater' }, context)).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('recalls with the labels of what was found, and keeps those of what it is given', async () => {
    const kept: object[] = [];
    const skill = new MemorySkill({
      search: async (query, { sessionId }) => [{ text: `${query} in ${sessionId}`, source: 'note', labels: ['pesel'] }],
      add: async (entry) => {
        kept.push(entry);
        return { id: '1', added: true };
      },
    });
    expect(await skill.invoke('recall', { query: 'birthday' }, context)).toMatchObject({
      text: '[note] birthday in s-1',
      labels: ['pesel'],
      untrusted: true,
    });
    await skill.invoke('memorize', { content: 'It is in May.' }, context);
    const asking = { owner: null, sessionId: 's-1', requestId: 'request-1' };
    expect(kept).toEqual([{ text: 'It is in May.', category: 'general', labels: ['email'], asking }]);
  });

  it('says that a model is not there', async () => {
    const skill = new ModelsSkill({ list: async () => [], describe: async () => null, loaded: async () => [] });
    await expect(skill.invoke('show', { name: 'x' }, context)).rejects.toMatchObject({ code: 'model_not_found' });
    expect((await skill.invoke('ps', {}, context)).text).toBe('None is in memory.');
  });
});

describe('DocsSkill', () => {
  it('finds headings, and links that lead nowhere or outside', async () => {
    const workspace = new Workspace(mkdtempSync(join(tmpdir(), 'venom-docs-')));
    mkdirSync(join(workspace.root, 'docs'));
    writeFileSync(join(workspace.root, 'docs/b.md'), '# B\n');
    writeFileSync(
      join(workspace.root, 'docs/a.md'),
      '# A\n[b](b.md) [gone](gone.md#x) [web](https://example.org) [out](../../etc/passwd)\n```\n# code [x](y.md)\n```\n',
    );
    const { structured } = await new DocsSkill().invoke('check_docs_structure', {}, skillContext(workspace));
    expect(structured).toMatchObject({
      documents: [
        { path: 'docs/a.md', headings: ['# A'], brokenLinks: ['gone.md', '../../etc/passwd'] },
        { path: 'docs/b.md', headings: ['# B'], brokenLinks: [] },
      ],
    });
    rmSync(workspace.root, { recursive: true });
  });
});
