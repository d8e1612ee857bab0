// A session's id as a header can carry it: as it is where it is plain ASCII, else percent-encoded.

const PLAIN = /^[\x20-\x7e]*$/;

export const sessionIdHeader = (sessionId: string | null | undefined): string =>
  sessionId && !PLAIN.test(sessionId) ? encodeURIComponent(sessionId) : (sessionId ?? '');
