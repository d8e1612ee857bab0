// What the owner of a custom skill does to it: begins one, changes its files, says yes, switches it off, goes back, removes it.
// Each change is bound to the state that was seen, so that nobody says yes to, or writes over, what came in between.
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import type { CustomSkill, CustomSkills } from './custom-skills.js';
import { newSkill } from './new-skill.js';
import { type FoundFile, foundFiles, SKILL_NAME, skillFiles } from './skill-folder.js';
import type { SkillVersionStore } from './skill-versions.js';

/** No hidden files, and nothing that leads out of the folder. */
export const SKILL_PATH = /^(?!.*(?:^|\/)\.)[\w.-]{1,80}(?:\/[\w.-]{1,80}){0,3}$/;

export interface SkillEditorOptions {
  /** One folder a skill. */
  folder: string;
  skills: CustomSkills;
  versions: SkillVersionStore;
}

export class SkillEditor {
  readonly #options: SkillEditorOptions;
  /** One change after the other: each looks before it writes. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SkillEditorOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly CustomSkill[]> {
    await this.#options.skills.rescan();
    return this.#options.skills.list();
  }

  /** @throws AppError `not_found` */
  async get(name: string): Promise<CustomSkill> {
    const found = (await this.list()).find((skill) => skill.name === name);
    if (!found) throw new AppError('not_found', `There is no skill ${name.slice(0, 50)}.`);
    return found;
  }

  /** Also of a folder that is no skill: links are named, not followed. @throws AppError `not_found` */
  async files(name: string): Promise<ReadonlyMap<string, FoundFile>> {
    await this.get(name);
    return foundFiles(this.#at(name));
  }

  /** @throws AppError `not_found` */
  versionFiles(name: string, hash: string): ReadonlyMap<string, Buffer> {
    return this.#options.versions.files(name, hash);
  }

  /** A scaffold that works, and waits for a yes like everything else. @throws AppError `conflict`, `invalid_input` */
  create(name: string): Promise<CustomSkill> {
    return this.#change(async () => {
      if (!SKILL_NAME.test(name))
        throw new AppError(
          'invalid_input',
          'A skill is named with small letters, digits, - and _, at most 24 of them.',
        );
      if ((await this.list()).some((skill) => skill.name === name))
        throw new AppError('conflict', `There is a skill ${name} already.`);
      await newSkill(this.#at(name), name);
      return this.get(name);
    });
  }

  /**
   * @param before  the file's text as it was seen; null for a new file
   * @throws AppError `conflict` when it has changed meanwhile, `invalid_input`, also where links lie in the folder
   */
  write(name: string, path: string, text: string, before: string | null): Promise<CustomSkill> {
    return this.#change(async () => {
      checkPath(path);
      await this.get(name);
      // Refuses a folder with links: a path through one leads elsewhere.
      const now = (await skillFiles(this.#at(name))).get(path)?.toString('utf8') ?? null;
      if (now !== before) throw overtaken(path);
      const target = join(this.#at(name), path);
      const partial = `${this.#at(name)}.${randomUUID()}.partial`;
      const file = await open(partial, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await mkdir(dirname(target), { recursive: true });
      await rename(partial, target);
      return this.get(name);
    });
  }

  /**
   * A link goes, and what it leads to stays.
   * @param before  the file's text as it was seen; of a link, where it leads
   * @throws AppError `conflict`, `not_found`
   */
  deleteFile(name: string, path: string, before: string): Promise<CustomSkill> {
    return this.#change(async () => {
      checkPath(path);
      const file = (await this.files(name)).get(path);
      if (!file || (file.linkTo ?? file.bytes?.toString('utf8') ?? '') !== before) throw overtaken(path);
      await unlink(join(this.#at(name), path));
      return this.get(name);
    });
  }

  /** A yes to what was shown. @throws AppError `approval_stale` when it is not that any more, `invalid_input` */
  approve(name: string, hash: string): Promise<CustomSkill> {
    return this.#change(async () => {
      const { draft, problem } = await this.get(name);
      if (!draft) throw new AppError('invalid_input', problem ?? `${name} is no skill.`);
      if (draft.hash !== hash)
        throw new AppError('approval_stale', `${name} has changed since it was shown; look at it again.`);
      this.#options.versions.approve(name, hash, draft.files);
      return this.get(name);
    });
  }

  /** @throws AppError `not_found` */
  setEnabled(name: string, enabled: boolean): Promise<CustomSkill> {
    return this.#change(async () => {
      await this.get(name);
      this.#options.versions.setEnabled(name, enabled);
      return this.get(name);
    });
  }

  /** The files become those of a version that was approved once, and that version is in use. @throws AppError `not_found` */
  rollBack(name: string, hash: string): Promise<CustomSkill> {
    return this.#change(async () => {
      await this.get(name);
      const files = this.versionFiles(name, hash);
      const place = this.#at(name);
      // Hidden, so that nobody takes them for skills meanwhile.
      const fresh = join(this.#options.folder, `.${name}.${randomUUID()}`);
      const old = `${fresh}.old`;
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(fresh, path)), { recursive: true });
        const file = await open(join(fresh, path), 'wx', 0o600);
        await file.writeFile(bytes).finally(() => file.close());
      }
      await rename(place, old);
      await rename(fresh, place);
      await rm(old, { recursive: true, force: true });
      this.#options.versions.approve(name, hash, files);
      return this.get(name);
    });
  }

  /** With its files and everything that was approved of it; what its links lead to stays. @throws AppError `not_found` */
  remove(name: string): Promise<void> {
    return this.#change(async () => {
      await this.get(name);
      await rm(this.#at(name), { recursive: true, force: true });
      this.#options.versions.delete(name);
      await this.#options.skills.rescan();
    });
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => {});
    return next;
  }

  #at(name: string): string {
    return join(this.#options.folder, name);
  }
}

function checkPath(path: string): void {
  if (!SKILL_PATH.test(path)) throw new AppError('invalid_input', 'This is no name of a file in a skill.');
}

const overtaken = (path: string) => new AppError('conflict', `${path} has changed since it was opened; load it again.`);
