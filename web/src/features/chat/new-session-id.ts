// Conversations are named here, so that a question can be asked and its page opened in one step.
/** `crypto.randomUUID` is missing on pages that came over plain HTTP from another machine. */
export function newSessionId(): string {
  const random = [...crypto.getRandomValues(new Uint8Array(4))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return `session-${Date.now()}-${random}`;
}
