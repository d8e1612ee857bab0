// /skills/custom: skills of the workspace, their files, and who said yes to what.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import * as contract from '../../contract/custom-skills.js';
import { isoUtc } from '../../shared/clock.js';
import type { CustomSkill } from '../../skills/custom/custom-skills.js';
import type { SkillEditor } from '../../skills/custom/skill-editor.js';
import type { FoundFile } from '../../skills/custom/skill-folder.js';

const created = 201;

export const customSkillsRoutes: FastifyPluginAsyncZod<{ editor: SkillEditor }> = async (app, { editor }) => {
  const tags = ['skills'];
  const params = contract.CustomSkillParams;
  const one = { 200: contract.CustomSkillAnswer };
  const answer = (skill: CustomSkill) => ({ status: 'success' as const, skill: toItem(skill) });

  app.get('/skills/custom', { schema: { response: { 200: contract.CustomSkillList }, tags } }, async () => {
    const skills = (await editor.list()).map(toItem);
    return { status: 'success' as const, skills, count: skills.length };
  });
  app.post(
    '/skills/custom',
    { schema: { body: contract.NewSkillRequest, response: { 201: contract.CustomSkillAnswer }, tags } },
    async ({ body }, reply) => reply.status(created).send(answer(await editor.create(body.name))),
  );
  app.get(
    '/skills/custom/:name',
    { schema: { params, response: { 200: contract.CustomSkillDetail }, tags } },
    async ({ params: { name } }) => {
      const skill = await editor.get(name);
      const approved = skill.record?.approved;
      return {
        ...answer(skill),
        files: [...(await editor.files(name))].map(([path, file]) => toFile(path, file)),
        approved_files: approved === undefined ? [] : toApproved(editor.versionFiles(name, approved)),
      };
    },
  );
  app.put(
    '/skills/custom/:name/files',
    { schema: { params, body: contract.WriteFileRequest, response: one, tags } },
    async ({ params: { name }, body }) => answer(await editor.write(name, body.path, body.text, body.before)),
  );
  app.post(
    '/skills/custom/:name/files/delete',
    { schema: { params, body: contract.DeleteFileRequest, response: one, tags } },
    async ({ params: { name }, body }) => answer(await editor.deleteFile(name, body.path, body.before)),
  );
  app.post(
    '/skills/custom/:name/approve',
    { schema: { params, body: contract.VersionRequest, response: one, tags } },
    async ({ params: { name }, body }) => answer(await editor.approve(name, body.hash)),
  );
  app.post(
    '/skills/custom/:name/rollback',
    { schema: { params, body: contract.VersionRequest, response: one, tags } },
    async ({ params: { name }, body }) => answer(await editor.rollBack(name, body.hash)),
  );
  for (const action of ['enable', 'disable'] as const)
    app.post(
      `/skills/custom/:name/${action}`,
      { schema: { params, response: one, tags } },
      async ({ params: { name } }) => answer(await editor.setEnabled(name, action === 'enable')),
    );
  app.delete('/skills/custom/:name', { schema: { params, tags } }, async ({ params: { name } }) => {
    await editor.remove(name);
    return { status: 'success', name };
  });
};

const toItem = ({ name, draft, problem, record }: CustomSkill): z.output<typeof contract.CustomSkillItem> => ({
  name,
  state: stateOf({ draft, record }),
  description: draft?.manifest?.description ?? draft?.instructions?.description ?? '',
  hash: draft?.hash ?? null,
  approved_hash: record?.approved ?? null,
  enabled: record?.enabled ?? false,
  problem,
  functions: [...Object.keys(draft?.manifest?.functions ?? {}), ...(draft?.instructions ? ['read_instructions'] : [])],
  versions: (record?.versions ?? []).map(({ hash, approvedAt }) => ({ hash, approved_at: isoUtc(approvedAt) })),
});

function stateOf({ draft, record }: Pick<CustomSkill, 'draft' | 'record'>) {
  if (!draft) return 'broken';
  if (!record) return 'new';
  if (!record.enabled) return 'disabled';
  return draft.hash === record.approved ? 'approved' : 'changed';
}

const toFile = (path: string, { sizeBytes, bytes, linkTo }: FoundFile) => ({
  path,
  size_bytes: sizeBytes,
  text: bytes && textOf(bytes),
  link_to: linkTo,
});

const toApproved = (files: ReadonlyMap<string, Buffer>) =>
  [...files].map(([path, bytes]) => toFile(path, { sizeBytes: bytes.length, bytes, linkTo: null }));

/** What would come back as other bytes is no text. */
function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.includes('\0') || !Buffer.from(text).equals(bytes) ? null : text;
}
