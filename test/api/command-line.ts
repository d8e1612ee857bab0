// The command line in this process: arguments in, what it printed out.
import { Readable, Writable } from 'node:stream';
import { Command } from 'commander';
import { addBackupCommands } from '../../src/cli/backup-commands.js';
import { addChatCommands } from '../../src/cli/chat-commands.js';
import { CommandContext } from '../../src/cli/command-context.js';
import { addMcpCommands } from '../../src/cli/mcp-commands.js';
import { addModelCommands } from '../../src/cli/model-commands.js';
import { addRoutingCommands } from '../../src/cli/routing-commands.js';
import { addSkillCommands } from '../../src/cli/skill-commands.js';
import { StandardInput } from '../../src/cli/standard-input.js';
import { type Output, Terminal } from '../../src/cli/terminal.js';
import type { TestServer } from './server.js';

export interface CommandLine {
  /** @throws what the command throws */
  run(...words: string[]): Promise<{ out: string; notes: string }>;
  /** The document of `--json`. */
  json<T = Record<string, unknown>>(...words: string[]): Promise<T>;
}

export interface CommandLineOptions {
  input?: string;
  isTTY?: boolean;
  /** Told what is written for a person while the command still runs. */
  onNote?: (text: string) => void;
}

export function commandLine(
  server: TestServer,
  { input = '', isTTY = false, onNote }: CommandLineOptions = {},
): CommandLine {
  const run = async (...words: string[]) => {
    const out = recorder(isTTY);
    const notes = recorder(isTTY, onNote);
    const program = new Command('venom')
      .option('--json')
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    const context = () =>
      new CommandContext(
        { VENOM_DATA_DIR: server.dataDir, PORT: new URL(server.url).port, ENV_FILE: '/dev/null' },
        new Terminal(program.opts<{ json?: boolean }>().json === true, out.stream, notes.stream),
        new StandardInput(Readable.from(input === '' ? [] : [Buffer.from(input)])),
      );
    addBackupCommands(program, context);
    addChatCommands(program, context);
    addRoutingCommands(program, context);
    addMcpCommands(program, context);
    addModelCommands(program, context);
    addSkillCommands(program, context);
    await program.parseAsync(words, { from: 'user' });
    return { out: out.text(), notes: notes.text() };
  };
  return {
    run,
    json: async <T>(...words: string[]) => JSON.parse((await run('--json', ...words)).out) as T,
  };
}

function recorder(isTTY: boolean, onText?: (text: string) => void): { stream: Output; text: () => string } {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      onText?.(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 100 }), text: () => text };
}
