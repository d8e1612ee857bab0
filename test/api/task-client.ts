// Tasks as a client sees them.
import { vi } from 'vitest';

export interface VenomTask {
  id: string;
  content: string;
  created_at: string;
  status: 'PENDING' | 'PROCESSING' | 'COMPLETED' | 'FAILED';
  result: string | null;
  logs: string[];
  context_history: Record<string, unknown> & {
    llm_runtime: { status: string; error: { error_code: string; stage: string; retryable: boolean } | null };
  };
  context_used: { lessons: string[]; memory_entries: string[] } | null;
}

export interface TaskEvent {
  event: string;
  data: Record<string, unknown>;
  id: string;
}

export class TaskClient {
  readonly url: string;

  constructor(url: string) {
    this.url = `${url}/api/v1`;
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    return (await fetch(this.url + path)).json() as Promise<T>;
  }

  /** The id of a task that was accepted. */
  async submit(body: object, headers: Record<string, string> = {}): Promise<string> {
    const response = await this.post('/tasks', body, headers);
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    return ((await response.json()) as { task_id: string }).task_id;
  }

  task(id: string): Promise<VenomTask> {
    return this.get<VenomTask>(`/tasks/${id}`);
  }

  /** Waits for a state of the task that satisfies `wanted`. */
  until(id: string, wanted: (task: VenomTask) => boolean): Promise<VenomTask> {
    return vi.waitFor(
      async () => {
        const task = await this.task(id);
        if (!wanted(task)) throw new Error(`task is ${task.status}: ${JSON.stringify(task.logs)}`);
        return task;
      },
      { timeout: 10_000, interval: 5 },
    );
  }

  ended(id: string): Promise<VenomTask> {
    return this.until(id, ({ status }) => status === 'COMPLETED' || status === 'FAILED');
  }

  async run(body: object): Promise<VenomTask> {
    return this.ended(await this.submit(body));
  }

  /** Reads a task's stream until it ends or `enough` says so. */
  async follow(
    path: string,
    {
      headers = {},
      enough = () => false,
    }: { headers?: Record<string, string>; enough?: (events: TaskEvent[]) => boolean } = {},
  ): Promise<TaskEvent[]> {
    const abort = new AbortController();
    const response = await fetch(this.url + path, { headers, signal: abort.signal });
    const events: TaskEvent[] = [];
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(bytes, { stream: true });
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        events.push(parsed(text.slice(0, end)));
        text = text.slice(end + 2);
      }
      if (enough(events)) break;
    }
    abort.abort();
    return events;
  }
}

/** The contract's framing: no space after the colons. */
function parsed(block: string): TaskEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}:`) && !line.startsWith(`${name}: `))
      ?.slice(name.length + 1) ?? '';
  return { event: field('event'), data: JSON.parse(field('data') || '{}'), id: field('id') };
}
