// The built UI: its page for each of its addresses, and its files, whose names change with their content.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Addresses of the page; `/*` are its files. */
export const UI_PATHS: readonly string[] = [
  '/',
  '/chat',
  '/chat/*',
  '/models',
  '/models/*',
  '/discover',
  '/activity',
  '/runtimes',
  '/queue',
  '/memory',
  '/routing',
  '/tools',
  '/tools/*',
  '/system',
  '/system/*',
  '/settings',
  '/docs',
  '/redoc',
  '/sessions/*',
  '/*',
];
const FILES = '/*';
/** Whose unknown addresses are told to programs. */
const OF_PROGRAMS = /^\/(api|v1|ws|mcp)(\/|$)/;

/** Serves nothing where there is no built UI. */
export async function serveUi(app: FastifyInstance, webDir: string): Promise<void> {
  if (!existsSync(join(webDir, 'index.html'))) return;
  const index = await readFile(join(webDir, 'index.html'));
  const page = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(index);
  for (const path of UI_PATHS)
    if (path !== FILES) app.get(path, { schema: { hide: true }, config: { open: true } }, page);

  app.get(FILES, { schema: { hide: true }, config: { open: true } }, async (request, reply) => {
    // Loaded for the first browser that comes: who only uses the API never needs it.
    const { default: send } = await import('@fastify/send');
    const [path = '/'] = request.url.split('?', 1);
    const options = { root: webDir, index: false, dotfiles: 'ignore', maxAge: '1y', immutable: true } as const;
    const found = await send(request.raw, path, options);
    if (found.type !== 'file') {
      // A person who mistyped an address gets a page that says so, a program the code.
      const person = request.headers.accept?.includes('text/html') && !OF_PROGRAMS.test(path);
      return person ? page(request, reply.status(404)) : reply.callNotFound();
    }
    return reply.status(found.statusCode).headers(found.headers).send(found.stream);
  });
}
