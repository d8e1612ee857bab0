// /system/backups: copies of the database, made while it is in use.
import { z } from 'zod';

export const Backup = z.object({
  name: z.string(),
  kind: z
    .enum(['daily', 'manual', 'before_update', 'replaced'])
    .describe('replaced: what was there before a copy was restored'),
  created_at: z.string(),
  size_bytes: z.int(),
});
export type Backup = z.output<typeof Backup>;

export const BackupList = z.object({ backups: z.array(Backup).describe('newest first'), count: z.int() });
export type BackupList = z.output<typeof BackupList>;
export const BackupParams = z.object({ name: z.string().min(1).max(100) });
export const BackupRemoved = z.object({ status: z.literal('success'), name: z.string() });
export type BackupRemoved = z.output<typeof BackupRemoved>;
