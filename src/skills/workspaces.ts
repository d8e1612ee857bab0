// Whose files lie where: the house's folder, and one for each user's key apart from it, so that nobody's chat reads what is
// another's.
import { join } from 'node:path';
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import { Workspace } from './workspace.js';

const OWNER = /^user-[0-9a-f]{16}$/;

export interface WorkspaceFolders {
  house: string;
  /** Holds one for each user's key, named after it. */
  users: string;
}

export class Workspaces {
  readonly house: Workspace;
  readonly #users: string;
  /** As many as there are keys. */
  readonly #known = new Map<string, Workspace>();

  constructor({ house, users }: WorkspaceFolders) {
    this.house = new Workspace(house);
    this.#users = users;
  }

  /** Created when it is needed first. */
  of(owner: Owner): Workspace {
    if (owner === null) return this.house;
    // It becomes a folder's name.
    if (!OWNER.test(owner)) throw new AppError('forbidden', 'This key has no workspace.');
    const workspace = this.#known.get(owner) ?? new Workspace(join(this.#users, owner));
    this.#known.set(owner, workspace);
    return workspace;
  }
}
