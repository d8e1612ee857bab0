// Requests to our own server, checked against the shape that is expected, failures with their code.
import type { z } from 'zod';
import { apiKey } from './api-key';
import { errorText } from './error-text';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What the code alone does not say. */
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message);
    this.details = details;
    this.status = status;
    this.code = code;
  }
}

/** Asked for by a key that may not know it. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

export const send = (path: string, init?: RequestInit & { json?: unknown }): Promise<Response> =>
  sendTo(`/api/v1${path}`, init);

async function sendTo(address: string, init: RequestInit & { json?: unknown } = {}): Promise<Response> {
  const { json, ...rest } = init;
  const key = apiKey();
  let response: Response;
  try {
    response = await fetch(address, {
      ...rest,
      ...(json === undefined ? {} : { method: rest.method ?? 'POST', body: JSON.stringify(json) }),
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(rest.headers as Record<string, string> | undefined),
      },
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', errorText('unreachable', ''));
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => ({}))) as { code?: string; detail?: unknown; details?: unknown };
  const detail = Array.isArray(body.detail) ? body.detail.map(({ msg }) => msg).join('; ') : body.detail;
  const code = body.code ?? 'unknown';
  const text = errorText(code, typeof detail === 'string' ? detail : response.statusText);
  throw new ApiError(response.status, code, text, body.details);
}

export const request = <T>(path: string, shape: z.ZodType<T>, init?: RequestInit & { json?: unknown }): Promise<T> =>
  requestAt(`/api/v1${path}`, shape, init);

/** The same for the few addresses that do not begin with `/api/v1`. */
export async function requestAt<T>(
  address: string,
  shape: z.ZodType<T>,
  init?: RequestInit & { json?: unknown },
): Promise<T> {
  return shape.parse(await (await sendTo(address, init)).json());
}
