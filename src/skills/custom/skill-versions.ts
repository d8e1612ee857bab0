// What somebody has said yes to of the skills in the workspace: which bytes, when, and whether they are in use. Where it is
// kept is somebody else's business.

export interface SkillRecord {
  /** Switched off, nothing of it is offered, whatever was approved. */
  enabled: boolean;
  /** Hash of the version in use. */
  approved: string;
  /** Newest first; each was approved once, and can be gone back to. */
  versions: readonly { hash: string; approvedAt: number }[];
}

export interface SkillVersionStore {
  get(name: string): SkillRecord | undefined;
  /** A former or the present version, byte by byte. @throws AppError `not_found`, `store_corrupt` */
  files(name: string, hash: string): ReadonlyMap<string, Buffer>;
  /** On disk when it returns; in use, and enabled. @throws AppError `store_unavailable` */
  approve(name: string, hash: string, files: ReadonlyMap<string, Buffer>): void;
  /** @throws AppError `not_found` where nothing was ever approved */
  setEnabled(name: string, enabled: boolean): void;
  delete(name: string): void;
}
