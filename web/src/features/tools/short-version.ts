// A version as people read it: of a commit the first twelve digits.
export const shortVersion = (version: string | null): string | null =>
  version !== null && /^[0-9a-f]{40,64}$/.test(version) ? version.slice(0, 12) : version;
