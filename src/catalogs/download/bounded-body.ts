// The body of an answer, up to a limit.

/** `complete` is false when there was more than `maxBytes`; what came until then is returned, the rest is let go. */
export async function boundedBody(response: Response, maxBytes: number): Promise<{ bytes: Buffer; complete: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    pieces.push(piece);
    if (size > maxBytes) return { bytes: Buffer.concat(pieces).subarray(0, maxBytes), complete: false };
  }
  return { bytes: Buffer.concat(pieces), complete: true };
}
