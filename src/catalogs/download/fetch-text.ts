// A page or a document of a catalogue as text: bounded, and every failure of the way there as a code.
import { AppError } from '../../shared/errors.js';
import { boundedBody } from './bounded-body.js';
import { follow } from './follow.js';

export interface TextRequest {
  url: string;
  /** For messages: a host, or what people call the place. */
  place: string;
  fetch: typeof fetch;
  headers?: Record<string, string>;
  redirect: 'manual' | 'follow' | 'error';
  maxBytes: number;
  signal: AbortSignal;
}

/**
 * Any status; the text is read only of a good one.
 * @throws AppError `upstream_timeout`, `upstream_reset`, `upstream_unreachable`, `upstream_protocol` beyond the limit
 */
export async function fetchText(request: TextRequest): Promise<{ status: number; text: string }> {
  const { url, place, maxBytes } = request;
  try {
    const { headers = {}, redirect, signal } = request;
    const response =
      redirect === 'follow'
        ? await follow({ url, fetch: request.fetch }, headers, signal)
        : await request.fetch(url, { headers, redirect, signal });
    if (!response.ok) {
      await response.body?.cancel();
      return { status: response.status, text: '' };
    }
    const { bytes, complete } = await boundedBody(response, maxBytes);
    if (!complete) throw new AppError('upstream_protocol', `${place} sent more than ${maxBytes} bytes.`);
    return { status: response.status, text: bytes.toString('utf8') };
  } catch (error) {
    throw asFailure(error, place);
  }
}

function asFailure(error: unknown, place: string): AppError {
  if (error instanceof AppError) return error;
  const { name } = error as Error;
  if (name === 'TimeoutError' || name === 'AbortError')
    return new AppError('upstream_timeout', `${place} did not answer in time.`, { cause: error });
  const code = (error as { cause?: { code?: string } }).cause?.code ?? '';
  if (/RESET|SOCKET|EPIPE/.test(code))
    return new AppError('upstream_reset', `${place} cut the connection.`, { cause: error });
  return new AppError('upstream_unreachable', `${place} cannot be reached.`, { cause: error });
}
