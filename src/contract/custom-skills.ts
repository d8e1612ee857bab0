// Skills in the workspace: their files, what was approved of them, and changes to both.
import { z } from 'zod';

const Name = z.string().regex(/^[a-z][a-z0-9_-]{0,23}$/, 'small letters, digits, - and _, at most 24 of them');
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Path = z.string().min(1).max(330);
/** Of one file; a whole skill has 2 MB. */
const FileText = z.string().max(500_000);

export const CustomSkillItem = z.object({
  name: z.string(),
  /**
   * new: never approved. approved: in use as it lies in the folder. changed: the folder waits for a yes, what was approved is
   * in use. disabled: approved and switched off. broken: the folder is no skill; `problem` says why.
   */
  state: z.enum(['new', 'approved', 'changed', 'disabled', 'broken']),
  description: z.string(),
  /** Of what lies in the folder; what an approval is bound to. */
  hash: z.string().nullable(),
  approved_hash: z.string().nullable(),
  enabled: z.boolean(),
  problem: z.string().nullable(),
  /** Names of the tools it offers as it lies in the folder. */
  functions: z.array(z.string()),
  versions: z.array(z.object({ hash: z.string(), approved_at: z.string() })),
});
export const CustomSkillList = z.object({
  status: z.literal('success'),
  skills: z.array(CustomSkillItem),
  count: z.int(),
});
export const CustomSkillAnswer = z.object({ status: z.literal('success'), skill: CustomSkillItem });

const SkillFile = z.object({
  path: z.string(),
  size_bytes: z.int(),
  /** Null for what is no text, and for a link. */
  text: z.string().nullable(),
  /** Of a symbolic link, where it leads; it is named and never followed. */
  link_to: z.string().nullable(),
});
export const CustomSkillDetail = CustomSkillAnswer.extend({
  files: z.array(SkillFile),
  /** As they were approved; empty where that was never done. */
  approved_files: z.array(SkillFile),
});

export const CustomSkillParams = z.object({ name: Name });
export const NewSkillRequest = z.strictObject({ name: Name });
/** `before` is the text as it was opened, null for a new file: what changed meanwhile is not written over. */
export const WriteFileRequest = z.strictObject({ path: Path, text: FileText, before: FileText.nullable() });
/** `before` of a link is where it leads. */
export const DeleteFileRequest = z.strictObject({ path: Path, before: FileText });
export const VersionRequest = z.strictObject({ hash: Hash });
