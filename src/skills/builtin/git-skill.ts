// Git repositories of the workspace. Git is run without a shell, without hooks, without the person's own configuration and
// without the network; names from a model never become options.
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { BaseSkill, type SkillContext, skillFunction } from '../base-skill.js';
import type { Isolation } from '../mcp/isolation.js';

const MAX_OUTPUT_BYTES = 4_194_304;
const TIMEOUT_MS = 30_000;
const SAFE_FLAGS = [
  // What a repository's own configuration could start.
  '-c core.hooksPath=/dev/null',
  '-c core.fsmonitor=false',
  '-c core.pager=cat',
  '-c core.sshCommand=false',
  '-c credential.helper=',
  '-c commit.gpgSign=false',
  '-c gc.auto=0',
  '-c maintenance.auto=false',
  '-c submodule.recurse=false',
  // A folder that merely looks like a repository is none.
  '-c safe.bareRepository=explicit',
  '-c protocol.allow=never',
].flatMap((flag) => flag.split(' '));

const Repository = z.string().min(1).max(4_096).default('.').describe('folder in the workspace');
/** Git's own rules for names are stricter still; here nothing may look like an option or a revision. */
const Branch = z
  .string()
  .max(200)
  .regex(/^[\p{L}\p{N}_][\p{L}\p{N}_./+-]*$/u, 'is no branch name')
  .refine((name) => !/\.\.|\/\/|\/$|\.lock$/.test(name), 'is no branch name');

export interface GitSkillOptions {
  /** The program. */
  git: string;
  /** Where git finds its own helpers. */
  path: string;
  /**
   * Where there is a sandbox, git runs in it: a repository's configuration can name programs in more ways than can
   * be switched off, and commands of the shell skill may have written it.
   */
  isolation?: Isolation;
}

export class GitSkill extends BaseSkill {
  readonly id = 'git';
  readonly description = 'Looks at git repositories of the workspace, commits and branches.';
  readonly #options: GitSkillOptions;

  constructor(options: GitSkillOptions) {
    super();
    this.#options = options;
  }

  readonly functions = [
    skillFunction({
      name: 'get_log_since_tag',
      description: 'Commits of a git repository since its last release tag: hash and subject, newest first.',
      input: z.object({ repository: Repository, n: z.int().min(1).max(500).default(200) }),
      readOnly: true,
      run: async ({ repository, n }, context) => {
        // A repository without a tag is no mistake; a folder without commits is told by the log.
        const tag = await this.#git(repository, ['describe', '--tags', '--abbrev=0'], context).catch(() => null);
        const text = await this.#git(
          repository,
          [
            'log',
            `--max-count=${n + 1}`,
            '--no-merges',
            '--no-show-signature',
            '--pretty=format:%h%x1f%s%x1f%b%x1e',
            ...(tag === null ? [] : [`refs/tags/${tag}..HEAD`]),
          ],
          context,
        );
        const all = text.split('\x1e').flatMap((record) => {
          const [hash = '', subject = '', body = ''] = record.trim().split('\x1f');
          return hash === '' ? [] : [{ hash, subject: subject.slice(0, 500), body: body.trim().slice(0, 1_000) }];
        });
        const commits = all.slice(0, n);
        const lines = commits.map(({ hash, subject }) => `${hash} ${subject}`);
        return {
          text: `Since ${tag ?? 'the beginning'}:\n${lines.join('\n') || 'nothing.'}`,
          structured: { tag, commits, cut: all.length > n },
          untrusted: true,
        };
      },
    }),
    skillFunction({
      name: 'create_tag',
      description: 'Sets a git tag with a message on the current commit. Nothing is pushed.',
      input: z.object({
        repository: Repository,
        tag_name: Branch,
        message: z.string().trim().min(1).max(10_000),
      }),
      run: async ({ repository, tag_name, message }, context) => {
        await this.#git(
          repository,
          [
            ...(await this.#author(repository, context)),
            'tag',
            '--annotate',
            '--no-sign',
            `--message=${message}`,
            '--end-of-options',
            tag_name,
          ],
          context,
        );
        const commit = await this.#git(repository, ['rev-parse', '--short', `refs/tags/${tag_name}^{commit}`], context);
        return { text: `Tag ${tag_name} is set on ${commit}.`, structured: { tag: tag_name, commit } };
      },
    }),
    this.#reading('get_status', 'Status of a git repository: branch, changed and new files.', ['status', '--branch']),
    this.#reading('get_short_status', 'Short status of a git repository, one line per file.', [
      'status',
      '--short',
      '--branch',
    ]),
    this.#reading('get_current_branch', 'Name of the current git branch.', ['branch', '--show-current']),
    skillFunction({
      name: 'get_diff',
      description: 'Changes of a git repository that are not committed, as a diff.',
      input: z.object({
        repository: Repository,
        staged: z.boolean().default(false).describe('what the next commit takes'),
        file_path: z.string().min(1).max(4_096).optional(),
      }),
      readOnly: true,
      run: async ({ repository, staged, file_path }, context) => {
        const options = ['diff', '--no-ext-diff', '--no-textconv', ...(staged ? ['--staged'] : [])];
        const text = await this.#git(
          repository,
          [...options, '--', ...(file_path ? [literal(file_path)] : [])],
          context,
        );
        return { text: text || 'No changes.', untrusted: true };
      },
    }),
    skillFunction({
      name: 'get_last_commit_log',
      description: 'The last commits of a git repository: hash, date, author, subject.',
      input: z.object({ repository: Repository, n: z.int().min(1).max(100).default(5) }),
      readOnly: true,
      run: async ({ repository, n }, context) => ({
        text: await this.#git(
          repository,
          ['log', `--max-count=${n}`, '--no-show-signature', '--date=iso-strict', '--pretty=format:%h %ad %an: %s'],
          context,
        ),
        untrusted: true,
      }),
    }),
    skillFunction({
      name: 'init_repo',
      description: 'Makes a folder of the workspace a git repository. What is in it stays as it is.',
      input: z.object({ repository: Repository }),
      run: async ({ repository }, context) => ({
        text: await this.#git(repository, ['init', '--initial-branch=main', '--template='], context),
      }),
    }),
    skillFunction({
      name: 'add_files',
      description: 'Puts files into the next git commit; without files, every change.',
      input: z.object({
        repository: Repository,
        files: z.array(z.string().min(1).max(4_096)).max(500).optional(),
      }),
      run: async ({ repository, files }, context) => {
        await this.#git(repository, ['add', ...(files ? ['--', ...files.map(literal)] : ['--all'])], context);
        return { text: await this.#git(repository, ['status', '--short'], context), untrusted: true };
      },
    }),
    skillFunction({
      name: 'commit',
      description: 'Commits what was added to a git repository.',
      input: z.object({ repository: Repository, message: z.string().trim().min(1).max(10_000) }),
      run: async ({ repository, message }, context) => {
        return {
          text: await this.#git(
            repository,
            [...(await this.#author(repository, context)), 'commit', '--no-verify', `--message=${message}`],
            context,
          ),
        };
      },
    }),
    skillFunction({
      name: 'create_branch',
      description: 'Creates a git branch and stays on the current one.',
      input: z.object({ repository: Repository, branch_name: Branch }),
      run: async ({ repository, branch_name }, context) => {
        await this.#git(repository, ['branch', '--end-of-options', branch_name], context);
        return { text: `Branch ${branch_name} is created.` };
      },
    }),
    skillFunction({
      name: 'checkout',
      description: 'Changes to a git branch; with create_new it is created first.',
      input: z.object({ repository: Repository, branch_name: Branch, create_new: z.boolean().default(false) }),
      run: async ({ repository, branch_name, create_new }, context) => {
        await this.#git(
          repository,
          ['switch', '--no-guess', ...(create_new ? ['--create'] : []), branch_name],
          context,
        );
        return { text: `On branch ${branch_name}.` };
      },
    }),
  ];

  #reading(name: string, description: string, args: readonly string[]) {
    return skillFunction({
      name,
      description,
      input: z.object({ repository: Repository }),
      readOnly: true,
      run: async ({ repository }, context) => ({
        text: (await this.#git(repository, args, context)) || 'Nothing.',
        untrusted: true,
      }),
    });
  }

  /** The repository's own, or ours where it has none. */
  async #author(repository: string, context: SkillContext): Promise<string[]> {
    const named = await this.#git(repository, ['config', '--local', '--get', 'user.email'], context).catch(() => '');
    return named ? [] : ['-c', 'user.name=Venom', '-c', 'user.email=venom@localhost'];
  }

  /** @throws AppError `invalid_input` with what git said, `tool_timeout` */
  async #git(repository: string, args: readonly string[], context: SkillContext): Promise<string> {
    const { workspace, signal } = context;
    const folder = await workspace.existing(repository);
    const { git, isolation } = this.#options;
    const isolated = {
      command: git,
      args: [...SAFE_FLAGS, ...args],
      cwd: folder,
      network: false,
      readable: [],
      writable: [workspace.root],
    };
    const [program, ...words] =
      isolation && isolation.best !== 'plain' ? isolation.wrap(isolation.best, isolated) : [git, ...isolated.args];
    return new Promise((resolve, reject) => {
      execFile(
        program as string,
        words,
        {
          cwd: folder,
          signal,
          timeout: TIMEOUT_MS,
          maxBuffer: MAX_OUTPUT_BYTES,
          killSignal: 'SIGKILL',
          env: {
            PATH: this.#options.path,
            HOME: '/nonexistent',
            LC_ALL: 'C.UTF-8',
            GIT_CONFIG_NOSYSTEM: '1',
            GIT_CONFIG_GLOBAL: '/dev/null',
            GIT_ATTR_NOSYSTEM: '1',
            GIT_TERMINAL_PROMPT: '0',
            GIT_OPTIONAL_LOCKS: '0',
            // Not the repository the workspace may lie in.
            GIT_CEILING_DIRECTORIES: dirname(workspace.root),
          },
        },
        (error, stdout, stderr) => {
          if (!error) return resolve(stdout.trimEnd());
          if (signal.aborted) return reject(signal.reason);
          if (error.killed) return reject(new AppError('tool_timeout', `git ${args[0]} took too long.`));
          const said = (stderr || stdout || error.message).trim().slice(0, 1_000);
          reject(new AppError('invalid_input', `git: ${said}`, { cause: error }));
        },
      );
    });
  }
}

/** A path as it is written, without git's patterns. */
const literal = (path: string): string => `:(literal)${path}`;
