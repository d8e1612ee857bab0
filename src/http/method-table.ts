// Which methods an address knows, for a request that came with another one.
import { parse } from 'node:querystring';
import type { FastifyInstance } from 'fastify';
import router, { type HTTPMethod } from 'find-my-way';

/** A parameter that is named twice counts the last time, as the original's framework had it. */
function lastOfEach(query: string): Record<string, string> {
  const parameters = parse(query);
  for (const [name, value] of Object.entries(parameters)) if (Array.isArray(value)) parameters[name] = value.at(-1);
  return parameters as Record<string, string>;
}

/** What a router reads of an address, the server's own and the one below alike. */
export const ROUTER_OPTIONS = {
  // Three characters for each of a name, where it has to be encoded.
  maxParamLength: 2_000,
  // The original's clients may end an address with a slash; its router led them to the one without.
  ignoreTrailingSlash: true,
  querystringParser: lastOfEach,
} as const;

/** Names of models with a slash in them: such a route takes any address below it for a name, those of other routes too. */
export const ROUTE_OF_NAMES = /^\/api\/v1\/.*\/\*$/;
/** As the route of the UI's files: it says nothing of an address until it is asked. */
const takesAnything = (url: string): boolean => url === '/*' || ROUTE_OF_NAMES.test(url);

/** Remembers every route that is added from here on. @returns the methods of an address, none where it leads nowhere */
export function rememberMethods(app: FastifyInstance): (url: string) => string[] {
  const routes = router(ROUTER_OPTIONS);
  const methods = new Set<HTTPMethod>();
  app.addHook('onRoute', ({ method, url }) => {
    if (takesAnything(url)) return;
    for (const one of [method].flat() as HTTPMethod[]) {
      methods.add(one);
      if (!routes.hasRoute(one, url)) routes.on(one, url, () => {});
    }
  });
  return (url) => [...methods].filter((method) => routes.find(method, url) !== null).sort();
}
