// What a generator writes, to the client, at the client's pace.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

const HIGH_WATER_BYTES = 16_384;

export function sendStream(reply: FastifyReply, contentType: string, chunks: AsyncIterable<string>): FastifyReply {
  return reply
    .header('content-type', contentType)
    .header('cache-control', 'no-cache')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(chunks, { objectMode: false, highWaterMark: HIGH_WATER_BYTES }));
}

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
