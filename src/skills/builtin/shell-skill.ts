// Commands in the workspace, in a sandbox or not at all: no network, no files but the workspace's, and bounds on time, output,
// processes, memory and disk. Words of a model never reach a shell unless a shell is what was asked for.
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { type CommandResult, runCommand } from '../../shared/run-command.js';
import { BaseSkill, type SkillContext, type SkillResult, skillFunction } from '../base-skill.js';
import type { Isolation } from '../mcp/isolation.js';
import type { ServerWatch } from '../mcp/server-watch.js';

const OUTPUT_CHARS = 16_000;
const MAX_SECONDS = 300;
/** Of the sandbox; what else this machine has is not for a model's commands. */
const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin';

const Folder = z.string().min(1).max(4_096).default('.').describe('folder in the workspace to run in');
const Seconds = z.int().min(1).max(MAX_SECONDS).default(30).describe('longest time it may take');
/** A name to be looked up, or a file that is named from the folder it runs in. */
const Program = z
  .string()
  .max(1_000)
  .regex(/^(?:\.{1,2}\/)?[\w.+][\w.+/-]*$/, 'is no name of a program');
const Argument = z
  .string()
  .max(100_000)
  .refine((text) => !text.includes('\0'), 'holds a NUL character');

export interface ShellSkillOptions {
  isolation: Isolation;
  /** For whatever a command starts, so that nothing of it outlives the call or us. */
  newMark: () => string;
  watch: ServerWatch;
}

export class ShellSkill extends BaseSkill {
  readonly id = 'shell';
  readonly description = 'Runs commands in the workspace, in a sandbox without a network.';
  readonly #options: ShellSkillOptions;

  constructor(options: ShellSkillOptions) {
    super();
    this.#options = options;
  }

  readonly functions = [
    skillFunction({
      name: 'run',
      description: 'Runs one program in the workspace with its arguments as they are, without a shell and a network.',
      input: z.object({
        program: Program.describe('such as python3, make or ./build.sh'),
        args: z.array(Argument).max(200).default([]),
        folder: Folder,
        timeout: Seconds,
      }),
      run: ({ program, args, folder, timeout }, context) => this.#run([program, ...args], folder, timeout, context),
    }),
    skillFunction({
      name: 'run_shell',
      description:
        'Runs a command line of the shell in the workspace: pipes, redirections, several commands. No network.',
      input: z.object({ command: Argument, folder: Folder, timeout: Seconds }),
      run: ({ command, folder, timeout }, context) => this.#run(['/bin/sh', '-c', command], folder, timeout, context),
    }),
  ];

  async #run(
    [program, ...args]: readonly string[],
    folder: string,
    seconds: number,
    { workspace, signal }: SkillContext,
  ): Promise<SkillResult> {
    const { isolation, newMark, watch } = this.#options;
    if (isolation.best === 'plain')
      throw new AppError(
        'unsupported',
        'Commands are run only in a sandbox, and there is none here: install bubblewrap.',
      );
    const cwd = await workspace.existing(folder);
    const tooMuch = new AbortController();
    let reason = '';
    let endWatch = () => {};
    const command = isolation.wrap(isolation.best, {
      command: program as string,
      args,
      cwd,
      network: false,
      readable: [],
      writable: [workspace.root],
    });
    const result = await runCommand(command, {
      environment: { PATH: SEARCH_PATH, HOME: '/tmp', LANG: 'C.UTF-8', TMPDIR: '/tmp' },
      timeoutMs: seconds * 1_000,
      signal: AbortSignal.any([signal, tooMuch.signal]),
      outputKept: OUTPUT_CHARS,
      mark: newMark(),
      onSpawn: (pid) => {
        endWatch = watch.watch({
          pid,
          folder: workspace.root,
          onTooMuch: (taken) => {
            reason = taken;
            tooMuch.abort();
          },
        });
      },
    });
    endWatch();
    signal.throwIfAborted();
    if (reason !== '') throw new AppError('tool_failed', `The command was ended: it had ${reason}.`);
    if (result.timedOut) throw new AppError('tool_timeout', `The command did not end within ${seconds} s.`);
    return report(result);
  }
}

/** A command that fails has failed; what it said of it is the result all the same. */
function report({ exitCode, stdout, stderr, message }: CommandResult): SkillResult {
  if (exitCode === null) throw new AppError('tool_failed', message);
  const cut = stdout.length >= OUTPUT_CHARS || stderr.length >= OUTPUT_CHARS;
  const parts = [
    exitCode === 0 ? '' : `Exit code ${exitCode}.`,
    cut ? `Only the last ${OUTPUT_CHARS} characters of its output are shown.` : '',
    stdout.trimEnd(),
    stderr.trimEnd(),
  ].filter(Boolean);
  return {
    text: parts.join('\n') || 'It ended well and said nothing.',
    structured: { exit_code: exitCode, stdout, stderr, cut },
    untrusted: true,
  };
}
