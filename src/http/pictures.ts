// Pictures in requests: their bytes come along, as base64 or data URL. An address is never fetched, by us or by an engine
// behind us: it would reach where its sender does not.
import type { Picture } from '../chat/tasks/task.js';
import { AppError } from '../shared/errors.js';

const DATA_URL = /^data:(image\/[\w.+-]{1,60});base64,([A-Za-z0-9+/]+={0,2})$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const ADDRESS = /^\s*(?!data:)[a-z][a-z0-9+.-]{0,20}:/i;

const MAGIC: readonly [start: string, mediaType: string][] = [
  ['iVBOR', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lG', 'image/gif'],
  ['UklG', 'image/webp'],
];

/** Of base64 by its first bytes. */
export const mediaTypeOf = (base64: string): string =>
  MAGIC.find(([start]) => base64.startsWith(start))?.[1] ?? 'image/*';

/** @throws AppError `unsupported` for an address, and for what is no picture */
export function pictureOfUrl(url: unknown): Picture {
  const match = typeof url === 'string' ? DATA_URL.exec(url) : null;
  if (!match?.[1] || !match[2])
    throw new AppError(
      'unsupported',
      'Images must come as data URLs (data:image/png;base64,…); no address is fetched for a client.',
    );
  return { mediaType: match[1], base64: match[2] };
}

/** A data URL or plain base64 of a picture. @throws AppError `unsupported` for paths, addresses and other files */
export function pictureOfText(text: string): Picture {
  if (text.startsWith('data:')) return pictureOfUrl(text);
  const mediaType = mediaTypeOf(text);
  if (mediaType === 'image/*' || !BASE64.test(text))
    throw new AppError(
      'unsupported',
      'images: each must be a PNG, JPEG, GIF or WebP as base64 or data URL; paths and addresses are not read.',
    );
  return { mediaType, base64: text };
}

const POINTER = /^(url|[a-z_]{1,40}_url)$/;
const DATA = /^\s*data:/i;

/** Whether a part that is no text points somewhere. @throws AppError `unsupported` where it does */
export function refuseAddresses(part: Readonly<Record<string, unknown>>): void {
  const open: [name: string, value: unknown][] = Object.entries(part);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [name, value] = next;
    if (typeof value === 'string') {
      const start = value.slice(0, 200);
      // Readers of addresses make one of `//host` and `ht\ntp:` too; elsewhere a text may begin so, as MP3 does in base64.
      if (POINTER.test(name) ? !DATA.test(start) : ADDRESS.test(start)) pictureOfUrl(value);
    } else if (typeof value === 'object' && value !== null) open.push(...Object.entries(value));
  }
}
