// Whose something is: of the user's key that made it, or of the house. A session's id carries its owner, so what hangs on
// sessions (messages, memory, labels, summaries, permissions of tools) cannot even be named by another.

/** `user-` and 16 hex digits from a hash of the key; null is the house: the administrator, or a server without keys. */
export type Owner = string | null;

/** In no id that a client may choose. */
const MARK = '~';
const OWNED = /^(user-[0-9a-f]{16})~/;

export const ownerOfSession = (sessionId: string | null | undefined): Owner => OWNED.exec(sessionId ?? '')?.[1] ?? null;

/** A name that its owner chose, such as a session's id, as nobody else's can be. */
export const ownName = (owner: Owner, name: string): string => (owner === null ? name : `${owner}${MARK}${name}`);

/** As its owner knows it; the house sees whose it is. */
export const nameFor = (viewer: Owner, name: string): string =>
  viewer !== null && name.startsWith(`${viewer}${MARK}`) ? name.slice(viewer.length + MARK.length) : name;

/** The house sees everything, a user what is theirs. */
export const maySee = (viewer: Owner, owner: Owner): boolean => viewer === null || viewer === owner;

/** Where something without a session belongs: to the house, or to the user's key that made it. */
export const placeOf = (sessionId: string | null, owner: Owner): string | null =>
  sessionId ?? (owner === null ? null : ownName(owner, ''));
