// The running server, as the commands see it: JSON over HTTP with the API key, failures as AppError.
import { AppError, toErrorCode } from '../shared/errors.js';

export class ApiClient {
  readonly baseUrl: string;
  readonly #apiKey: string;

  constructor(baseUrl: string, apiKey: string) {
    this.baseUrl = baseUrl;
    this.#apiKey = apiKey;
  }

  /** @throws AppError with the server's code; `provider_unavailable` when nothing answers */
  async get<T>(path: string, timeoutMs = 10_000): Promise<T> {
    return (await (await this.request(path, {}, timeoutMs)).json()) as T;
  }

  async post<T>(path: string, body: unknown, timeoutMs = 10_000): Promise<T> {
    return (await (await this.request(path, asPost(body), timeoutMs)).json()) as T;
  }

  async put<T>(path: string, body: unknown, timeoutMs = 10_000): Promise<T> {
    return (await (await this.request(path, { ...asPost(body), method: 'PUT' }, timeoutMs)).json()) as T;
  }

  async delete<T>(path: string, timeoutMs = 10_000): Promise<T> {
    return (await (await this.request(path, { method: 'DELETE' }, timeoutMs)).json()) as T;
  }

  /** A response whose body the caller reads as it comes; `signal` ends it. */
  stream(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    return this.request(path, { ...asPost(body), signal });
  }

  async request(path: string, init: RequestInit, timeoutMs?: number): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#apiKey !== '') headers.set('authorization', `Bearer ${this.#apiKey}`);
    let response: Response;
    try {
      const signal = timeoutMs === undefined ? (init.signal ?? null) : AbortSignal.timeout(timeoutMs);
      response = await fetch(new URL(path, this.baseUrl), { ...init, headers, signal });
    } catch (cause) {
      if (init.signal?.aborted) throw new AppError('cancelled', 'Cancelled.', { cause });
      throw new AppError(
        'provider_unavailable',
        `Venom does not answer at ${this.baseUrl}; start it with \`venom start\``,
        {
          cause,
        },
      );
    }
    if (response.ok) return response;
    throw await asAppError(response);
  }
}

const asPost = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function asAppError(response: Response): Promise<AppError> {
  const body = (await response.json().catch(() => ({}))) as { detail?: unknown; code?: unknown };
  const detail = describeDetail(body.detail) ?? `The server answered HTTP ${response.status}.`;
  return new AppError(toErrorCode(body.code) ?? 'internal', detail, { details: { status: response.status } });
}

/** In one line for a person, whatever form the contract gives it: a sentence, an object with one, or a list of wrong fields. */
function describeDetail(detail: unknown): string | undefined {
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail))
    return detail
      .map(({ loc, msg }: { loc?: unknown[]; msg?: unknown }) => `${loc?.slice(1).join('.') || 'request'}: ${msg}`)
      .join('; ');
  const message = (detail as { message?: unknown } | null | undefined)?.message;
  if (typeof message === 'string') return message;
  return detail === undefined || detail === null ? undefined : JSON.stringify(detail);
}
