import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveTask } from '../chat/tasks/live-task.js';
import { followUpRequest } from '../chat/tasks/task.js';
import { followTask, parseTaskEventId } from './task-stream.js';

/** A client that takes what it is given, or does not. */
class FakeResponse extends EventEmitter {
  readonly written: string[] = [];
  ended = false;
  slow = false;
  write(text: string): boolean {
    this.written.push(text);
    return !this.slow;
  }
  end(text: string): void {
    this.written.push(text);
    this.ended = true;
  }
  get names(): string[] {
    return [...this.written.join('').matchAll(/^event:(\w+)$/gm)].map(([, name]) => name as string);
  }
}

let live: LiveTask;
let response: FakeResponse;
const follow = (deltas = false) =>
  followTask(response as unknown as ServerResponse, live, { deltas, from: undefined, viewer: null });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  response = new FakeResponse();
  live = new LiveTask({
    id: '01a20e0d-0000-7000-8000-000000000000',
    seq: 1,
    request: followUpRequest({ content: 'Hi', labels: [], owner: null }),
    status: 'PROCESSING',
    result: null,
    logs: [],
    context: { llm_runtime: { status: 'ready' } },
    contextUsed: null,
    createdAt: 0,
  });
});
afterEach(() => vi.useRealTimers());

describe('followTask', () => {
  it('says at once how things stand, and the first words without delay', () => {
    follow();
    live.append('First');
    expect(response.names).toEqual(['task_update', 'task_update']);
    expect(response.written.at(-1)).toContain('"result":"First"');
  });

  it('sends the whole result four times a second at most, and a long one less often', () => {
    follow();
    for (let word = 0; word < 100; word += 1) {
      live.append('word ');
      vi.advanceTimersByTime(10);
    }
    expect(response.names.length).toBeLessThanOrEqual(7);
    live.append('x'.repeat(900_000));
    vi.advanceTimersByTime(2_000);
    live.append('goes at once');
    const before = response.names.length;
    live.append('waits');
    vi.advanceTimersByTime(800);
    expect(response.names.length).toBe(before);
    vi.advanceTimersByTime(200);
    expect(response.names.length).toBe(before + 1);
  });

  it('keeps nothing for a client that does not read: it gets the newest state when it does', () => {
    follow();
    response.slow = true;
    live.append('a');
    const before = response.written.length;
    for (let word = 0; word < 1_000; word += 1) {
      live.append('b');
      vi.advanceTimersByTime(100);
    }
    expect(response.written.length).toBe(before);
    response.slow = false;
    response.emit('drain');
    vi.advanceTimersByTime(300);
    expect(response.written.length).toBe(before + 1);
    expect(response.written.at(-1)).toContain(`"result":"a${'b'.repeat(1_000)}"`);
  });

  it('shows signs of life in silence', () => {
    follow();
    vi.advanceTimersByTime(2_500);
    expect(response.names).toEqual(['task_update', 'heartbeat']);
    expect(response.written.at(-1)).toContain('"logs":[]');
  });

  it('ends with the task, and listens no more', () => {
    follow();
    live.task.status = 'COMPLETED';
    live.end();
    expect(response.ended).toBe(true);
    expect(response.names.slice(-2)).toEqual(['task_update', 'task_finished']);
    const { length } = response.written;
    vi.advanceTimersByTime(10_000);
    expect(response.written.length).toBe(length);
  });

  it('ends when the server stops, though the task goes on later', () => {
    follow();
    live.detach();
    expect(response.ended).toBe(true);
    expect(response.names).not.toContain('task_finished');
  });

  it('tells a client of deltas that the result begins anew', () => {
    follow(true);
    live.append('Draft');
    vi.advanceTimersByTime(50);
    live.replace('Better');
    vi.advanceTimersByTime(50);
    expect(response.names).toEqual(['task_update', 'task_delta', 'task_reset', 'task_delta']);
    expect(response.written.at(-1)).toContain('id:01a20e0d-0000-7000-8000-000000000000:1.6.0');
  });
});

it('reads only ids of its own form', () => {
  expect(parseTaskEventId('01a20e0d-0000-7000-8000-000000000000:1.6.2')).toEqual({
    taskId: '01a20e0d-0000-7000-8000-000000000000',
    version: 1,
    chars: 6,
    logs: 2,
  });
  for (const wrong of [undefined, '', 'x', '01a20e0d-0000-7000-8000-000000000000:1', '../../etc:1.2.3'])
    expect(parseTaskEventId(wrong)).toBeUndefined();
});
