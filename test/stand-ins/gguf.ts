// GGUF files made by hand: valid ones for downloads, and wrong ones for the checks.

export const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const u64 = (value: bigint | number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
export const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
export const key = (name: string, value: string | number) =>
  Buffer.concat([
    text(name),
    u32(typeof value === 'string' ? 8 : 4),
    typeof value === 'string' ? text(value) : u32(value),
  ]);

export interface Tensor {
  name: string;
  dimensions: (number | bigint)[];
  type: number;
  offset: number | bigint;
}

export function gguf(
  options: {
    tensors?: Tensor[];
    keys?: Buffer[];
    keyCount?: bigint;
    tensorCount?: bigint;
    dataBytes?: number;
    version?: number;
  } = {},
): Buffer {
  const keys = options.keys ?? [
    key('general.architecture', 'llama'),
    key('llama.block_count', 2),
    key('llama.context_length', 2048),
    key('llama.embedding_length', 64),
    key('llama.attention.head_count', 4),
    key('general.file_type', 3),
  ];
  const tensors = options.tensors ?? [
    { name: 'a', dimensions: [32, 2], type: 0, offset: 0 },
    { name: 'b', dimensions: [32], type: 3, offset: 256 },
  ];
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(options.version ?? 3),
    u64(options.tensorCount ?? tensors.length),
    u64(options.keyCount ?? keys.length),
    ...keys,
    ...tensors.map((tensor) =>
      Buffer.concat([
        text(tensor.name),
        u32(tensor.dimensions.length),
        ...tensor.dimensions.map((length) => u64(length)),
        u32(tensor.type),
        u64(tensor.offset),
      ]),
    ),
  ]);
  const padding = (32 - (header.length % 32)) % 32;
  return Buffer.concat([header, Buffer.alloc(padding + (options.dataBytes ?? 288))]);
}
