// Where a request leads, as the routes are written. Never the address as it came: a router takes `/%61pi`, and an address
// with a host in front, for the same as `/api`.
import type { FastifyRequest } from 'fastify';

/** The pattern of the route; the address itself where only the files of the UI would be left. */
export function requestPath(request: FastifyRequest): string {
  const { url } = request.routeOptions;
  return url === undefined || url === '/*' ? (request.url.split('?', 1)[0] ?? '') : url;
}
