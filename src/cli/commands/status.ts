// venom status: is it running, where, since when, with which models.
import { type CommandContext, describeOther } from '../command-context.js';
import { getStarter } from '../starter-progress.js';
import { formatBytes } from '../terminal.js';

/** As the Linux Standard Base has it for "not running". */
const NOT_RUNNING = 3;

interface SystemInfo {
  version: string;
  uptime_seconds: number;
  data_dir: string;
  pid: number;
  runtimes: { provider: string; endpoint: string | null; state: string; error: string | null }[];
}

export async function status(context: CommandContext): Promise<void> {
  const { terminal } = context;
  const found = await context.ownServer();
  if (found === undefined) {
    process.exitCode = NOT_RUNNING;
    const other = await context.otherServer();
    if (other !== undefined) terminal.note(`Another Venom runs at ${other.url} (${describeOther(other)}).`);
    return terminal.result({ running: false, data_dir: context.settings.VENOM_DATA_DIR }, 'Venom is not running.');
  }
  const client = context.client(found.url);
  const [info, starter] = await Promise.all([client.get<SystemInfo>('/api/v1/system/info'), getStarter(client)]);
  const runtimes = info.runtimes.map(
    ({ provider, endpoint, state, error }) =>
      `  ${provider}${endpoint ? ` (${endpoint})` : ''}: ${state}${error ? `, ${error}` : ''}`,
  );
  const progress =
    starter.state === 'downloading'
      ? ` ${formatBytes(starter.received_bytes)} of ${formatBytes(starter.size_bytes)}`
      : '';
  terminal.result(
    { running: true, url: found.url, ...info, starter, log: context.files.logFile },
    [
      `Venom ${info.version} is running at ${found.url} (process ${info.pid}, ${formatDuration(info.uptime_seconds)})`,
      `data     ${info.data_dir}`,
      `log      ${context.files.logFile}`,
      `starter  ${starter.state}${progress}`,
      'runtimes',
      ...runtimes,
    ].join('\n'),
  );
}

function formatDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
