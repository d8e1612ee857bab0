// /system/backups: make, list, fetch and remove copies of the database. Restoring one is done while no server runs.
import { createReadStream } from 'node:fs';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as contract from '../../contract/backups.js';
import { isoUtc } from '../../shared/clock.js';

interface BackupFile {
  name: string;
  kind: contract.Backup['kind'];
  createdAt: Date;
  sizeBytes: number;
}

export interface BackupRoutesOptions {
  backups: {
    list(): BackupFile[];
    /** @throws AppError `insufficient_storage`, `conflict` where there are too many */
    make(): Promise<BackupFile>;
    /** @throws AppError `backup_not_found` */
    pathOf(name: string): string;
    /** @throws AppError `backup_not_found` */
    remove(name: string): Promise<void>;
  };
}

export const backupRoutes: FastifyPluginAsyncZod<BackupRoutesOptions> = async (app, { backups }) => {
  const tags = ['system'];
  app.get('/system/backups', { schema: { response: { 200: contract.BackupList }, tags } }, async () => {
    const all = backups.list().map(toBackup);
    return { backups: all, count: all.length };
  });

  app.post('/system/backups', { schema: { response: { 201: contract.Backup }, tags } }, async (_, reply) =>
    reply.status(201).send(toBackup(await backups.make())),
  );

  app.get('/system/backups/:name', { schema: { params: contract.BackupParams, tags } }, async ({ params }, reply) => {
    const file = createReadStream(backups.pathOf(params.name));
    return reply
      .header('content-disposition', `attachment; filename="${params.name}"`)
      .type('application/vnd.sqlite3')
      .send(file);
  });

  app.delete(
    '/system/backups/:name',
    { schema: { params: contract.BackupParams, response: { 200: contract.BackupRemoved }, tags } },
    async ({ params }) => {
      await backups.remove(params.name);
      return { status: 'success' as const, name: params.name };
    },
  );
};

const toBackup = (file: BackupFile): contract.Backup => ({
  name: file.name,
  kind: file.kind,
  created_at: isoUtc(file.createdAt.getTime()),
  size_bytes: file.sizeBytes,
});
