// /mcp/bundles: an MCP bundle is uploaded, as a form's file or as the body itself, and said what it is and asks for. Importing
// it is another request, which names it by its hash.
import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { BundleUpload } from '../../contract/mcp-servers.js';
import { AppError } from '../../shared/errors.js';
import type { BundleManifest } from '../../skills/mcp/bundle-manifest.js';
import type { BundleSource } from '../../skills/mcp/bundle-source.js';
import { unbrokenForm } from '../unbroken-form.js';
import { whileOpen } from '../while-open.js';

export interface McpBundleRoutesOptions {
  bundles: BundleSource;
  /** Bounded in size. @throws AppError `payload_too_large` */
  keepBundle: (bytes: Readable, signal: AbortSignal) => Promise<{ hash: string; sizeBytes: number }>;
}

export const mcpBundleRoutes: FastifyPluginAsyncZod<McpBundleRoutesOptions> = async (app, { bundles, keepBundle }) => {
  // In here a body is a file that goes to disk as it comes; the store bounds it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  await app.register(multipart, {
    limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 1, fields: 4, fieldSize: 4_096, parts: 5, headerPairs: 50 },
  });

  app.post(
    '/mcp/bundles',
    { schema: { response: { 201: BundleUpload }, tags: ['mcp'] }, bodyLimit: Number.MAX_SAFE_INTEGER },
    async (request, reply) => {
      const signal = whileOpen(reply);
      const bytes = request.isMultipart()
        ? (await unbrokenForm(request.file()))?.file
        : (request.body as Readable | undefined);
      if (!bytes) throw new AppError('invalid_input', 'The body must be the bundle, or a form with one file.');
      const { hash, sizeBytes } = await unbrokenForm(keepBundle(bytes, signal));
      const manifest = await bundles.manifest(hash);
      reply.status(201);
      return { status: 'success' as const, bundle: hash, size_bytes: sizeBytes, manifest: toManifest(manifest) };
    },
  );
};

const toManifest = (manifest: BundleManifest) => ({
  name: manifest.name,
  title: manifest.display_name ?? manifest.name,
  version: manifest.version,
  description: manifest.description,
  author: manifest.author?.name ?? null,
  license: manifest.license ?? null,
  type: manifest.server.type,
  platforms: manifest.compatibility.platforms ?? null,
  tools: manifest.tools.map(({ name }) => name),
  user_config: Object.entries(manifest.user_config).map(([name, setting]) => ({
    name,
    type: setting.type,
    title: setting.title,
    description: setting.description,
    required: setting.required,
    sensitive: setting.sensitive,
    multiple: setting.multiple,
    default: setting.default ?? null,
  })),
});
