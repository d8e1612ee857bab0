// What /openapi.json says. Made of the routes when it is first asked for, because few ever ask and its parts are large.
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { describeAnswers } from './api-document-answers.js';
import { compilersFactory } from './compilers.js';

/** Remembers every route that is added from here on. @returns the document as JSON, the same one each time */
export function describeRoutes(app: FastifyInstance, version: string): () => Promise<string> {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD') routes.push(route);
  });
  let document: Promise<string> | undefined;
  return () => {
    document ??= documentOf(routes, version);
    return document;
  };
}

async function documentOf(routes: readonly RouteOptions[], version: string): Promise<string> {
  const [{ default: swagger }, { jsonSchemaTransform }] = await Promise.all([
    import('@fastify/swagger'),
    import('fastify-type-provider-zod'),
  ]);
  const described = Fastify({ exposeHeadRoutes: false, schemaController: { compilersFactory } });
  await described.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Venom', version } },
    transform: jsonSchemaTransform,
  });
  for (const { method, url, schema } of routes)
    described.route({ method, url, ...(schema ? { schema } : {}), handler: async () => undefined });
  await described.ready();
  return JSON.stringify(describeAnswers(described.swagger()));
}
