// From what was filled in to a request, and to the same as a line of curl. Pure.
import type { ApiOperation } from './api/api-document';

/** By place and name, such as `path task_id`; what is empty is left out. */
export type Filled = Readonly<Record<string, string>>;

export interface Place {
  /** `path` or `query`. */
  place: string;
  name: string;
  required: boolean;
}

export interface FilledRequest {
  method: string;
  /** With its query. */
  path: string;
  body: string | undefined;
}

/** What a request has to be filled in at, the address first. */
export function placesOf({ path, parameters }: ApiOperation): Place[] {
  const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => ({
    place: 'path',
    name: name as string,
    required: true,
  }));
  const inQuery = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, required }) => ({ place: 'query', name, required }));
  return [...inPath, ...inQuery];
}

export function filledRequest(
  operation: Pick<ApiOperation, 'method' | 'path' | 'parameters'>,
  filled: Filled,
  body: string | undefined,
): FilledRequest {
  const address = operation.path.replace(/\{([^}]+)\}/g, (whole, name: string) => {
    const value = filled[`path ${name}`];
    if (!value) return whole;
    // A name with slashes in it stands as it is where a route takes any address.
    return name === '*' ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value);
  });
  const query = operation.parameters
    .filter(({ in: place, name }) => place === 'query' && filled[`query ${name}`])
    .map(({ name }) => `${encodeURIComponent(name)}=${encodeURIComponent(filled[`query ${name}`] ?? '')}`);
  return { method: operation.method, path: query.length > 0 ? `${address}?${query.join('&')}` : address, body };
}

export function curlLine({ method, path, body }: FilledRequest, origin: string, withKey: boolean): string {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(origin + path)}`];
  if (withKey) lines.push('-H "Authorization: Bearer $VENOM_API_KEY"');
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  return lines.join(' \\\n  ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
