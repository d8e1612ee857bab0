// Reads and checks a GGUF header in our own code, before any native library sees the file. Every count, length and
// offset of the file is an enemy's number until it is compared with the file's size.
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.js';
import { type ThoughtTraits, thoughtTraits } from './thoughts/thought-traits.js';

const MAX_HEADER_BYTES = 256 * 1_048_576;
const MAX_KEYS = 65_536n;
const MAX_TENSORS = 262_144n;
const MAX_STRING_BYTES = 16n * 1_048_576n;
const MAX_ARRAY_ITEMS = 16n * 1_048_576n;
const MAX_NAME_BYTES = 1_024n;
const MAX_DIMENSIONS = 4;
const READ_AHEAD = 1_048_576;

/** Bytes and elements per block of each tensor type. @see ggml's type traits */
const TENSOR_TYPES: Readonly<Record<number, readonly [bytes: number, elements: number]>> = {
  0: [4, 1],
  1: [2, 1],
  2: [18, 32],
  3: [20, 32],
  6: [22, 32],
  7: [24, 32],
  8: [34, 32],
  9: [36, 32],
  10: [84, 256],
  11: [110, 256],
  12: [144, 256],
  13: [176, 256],
  14: [210, 256],
  15: [292, 256],
  16: [66, 256],
  17: [74, 256],
  18: [98, 256],
  19: [50, 256],
  20: [18, 32],
  21: [110, 256],
  22: [82, 256],
  23: [136, 256],
  24: [1, 1],
  25: [2, 1],
  26: [4, 1],
  27: [8, 1],
  28: [8, 1],
  29: [56, 256],
  30: [2, 1],
  34: [54, 256],
  35: [66, 256],
  39: [17, 32],
};

const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  19: 'IQ2_XXS',
  20: 'IQ2_XS',
  22: 'IQ3_XS',
  23: 'IQ3_XXS',
  24: 'IQ1_S',
  25: 'IQ4_NL',
  26: 'IQ3_S',
  27: 'IQ3_M',
  28: 'IQ2_S',
  29: 'IQ2_M',
  30: 'IQ4_XS',
  31: 'IQ1_M',
  32: 'BF16',
  38: 'MXFP4',
};

export interface GgufHeader {
  architecture: string;
  name: string | null;
  quantization: string | null;
  /** Tokens the model was trained for. */
  contextLength: number | null;
  layers: number | null;
  embeddingLength: number | null;
  heads: number | null;
  kvHeads: number | null;
  /** Elements per head of keys and of values. */
  keyLength: number | null;
  valueLength: number | null;
  hasChatTemplate: boolean;
  /** Whether its chat template speaks of tools. */
  templateNamesTools: boolean;
  /** How it thinks before it answers, by its chat template; null where that knows no thoughts. */
  thoughts: ThoughtTraits | null;
  pooling: boolean;
  parameters: number;
  /** Tokens the model knows. */
  vocabulary: number | null;
  tensors: number;
  fileBytes: number;
}

/** Where the bytes of a model are. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** At most `length` bytes; fewer only at the end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** @throws AppError `invalid_model` that says what is wrong; never more than the header is read */
export async function readGguf(path: string): Promise<GgufHeader> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new AppError('invalid_model', 'The model file cannot be opened.', { cause });
  }
  try {
    const { size } = await file.stat();
    return await readGgufFrom({
      sizeBytes: size,
      async read(offset, length) {
        const buffer = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(buffer, 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
    });
  } finally {
    await file.close();
  }
}

/** The same from anywhere. @throws AppError `invalid_model`, and whatever the source throws */
export const readGgufFrom = (source: ByteSource): Promise<GgufHeader> => new Reader(source).header();

const bad = (why: string) => new AppError('invalid_model', `This is no valid GGUF model: ${why}.`);

const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;

class Reader {
  readonly #source: ByteSource;
  readonly #size: bigint;
  #buffer: Buffer = Buffer.alloc(0);
  #bufferAt = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#size = BigInt(source.sizeBytes);
  }

  async header(): Promise<GgufHeader> {
    const magic = (await this.#take(4)).toString('latin1');
    if (magic !== 'GGUF')
      throw bad(
        magic.startsWith('PK')
          ? 'it is a zip archive'
          : magic.charCodeAt(0) === 0x80
            ? 'it is a pickle'
            : 'it does not begin with GGUF',
      );
    const version = (await this.#take(4)).readUInt32LE();
    if (version !== 2 && version !== 3) throw bad(`version ${version} is unknown`);
    const tensorCount = (await this.#take(8)).readBigUInt64LE();
    const keyCount = (await this.#take(8)).readBigUInt64LE();
    if (tensorCount === 0n || tensorCount > MAX_TENSORS) throw bad(`it claims ${tensorCount} tensors`);
    if (keyCount > MAX_KEYS) throw bad(`it claims ${keyCount} keys`);
    const values = new Map<string, unknown>();
    for (let index = 0n; index < keyCount; index += 1n) {
      const key = await this.#string(MAX_NAME_BYTES);
      if (values.has(key)) throw bad('a key stands twice');
      values.set(key, await this.#value((await this.#take(4)).readUInt32LE(), 0));
    }
    const alignment = this.#number(values, 'general.alignment') ?? 32;
    if (alignment < 8 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0)
      throw bad(`its alignment is ${alignment}`);
    const tensors = await this.#tensors(tensorCount, BigInt(alignment));
    const architecture = values.get('general.architecture');
    if (typeof architecture !== 'string' || !/^[a-z0-9._-]{1,64}$/i.test(architecture))
      throw bad('it names no architecture');
    const of = (key: string) => this.#number(values, `${architecture}.${key}`);
    const name = values.get('general.name');
    const template = values.get('tokenizer.chat_template');
    const heads = of('attention.head_count');
    const embeddingLength = of('embedding_length');
    const headLength = heads && embeddingLength ? Math.floor(embeddingLength / heads) : null;
    return {
      architecture,
      name: typeof name === 'string' ? name.slice(0, 200) : null,
      quantization: FILE_TYPES[this.#number(values, 'general.file_type') ?? -1] ?? null,
      contextLength: of('context_length'),
      layers: of('block_count'),
      embeddingLength,
      heads,
      kvHeads: of('attention.head_count_kv') ?? heads,
      keyLength: of('attention.key_length') ?? headLength,
      valueLength: of('attention.value_length') ?? headLength,
      hasChatTemplate: typeof template === 'string',
      templateNamesTools: typeof template === 'string' && /\btools\b/.test(template),
      thoughts: typeof template === 'string' ? thoughtTraits(template) : null,
      pooling: values.has(`${architecture}.pooling_type`),
      parameters: tensors.parameters,
      vocabulary: of('vocab_size') ?? this.#number(values, 'tokenizer.ggml.tokens'),
      tensors: Number(tensorCount),
      fileBytes: Number(this.#size),
    };
  }

  async #tensors(count: bigint, alignment: bigint): Promise<{ parameters: number }> {
    const names = new Set<string>();
    const spans: { offset: bigint; bytes: bigint }[] = [];
    let parameters = 0n;
    for (let index = 0n; index < count; index += 1n) {
      const name = await this.#string(MAX_NAME_BYTES);
      if (names.has(name)) throw bad('a tensor stands twice');
      names.add(name);
      const dimensions = (await this.#take(4)).readUInt32LE();
      if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw bad(`a tensor has ${dimensions} dimensions`);
      let elements = 1n;
      let row = 0n;
      for (let dimension = 0; dimension < dimensions; dimension += 1) {
        const length = (await this.#take(8)).readBigUInt64LE();
        if (length === 0n || length > this.#size * 8n) throw bad('a tensor is larger than the file');
        if (dimension === 0) row = length;
        elements *= length;
      }
      const type = (await this.#take(4)).readUInt32LE();
      const offset = (await this.#take(8)).readBigUInt64LE();
      const layout = TENSOR_TYPES[type];
      if (!layout) throw bad(`tensor type ${type} is unknown`);
      if (row % BigInt(layout[1]) !== 0n) throw bad('a tensor does not fill its blocks');
      if (offset % alignment !== 0n) throw bad('a tensor is not aligned');
      const bytes = (elements / BigInt(layout[1])) * BigInt(layout[0]);
      if (bytes > this.#size) throw bad('a tensor is larger than the file');
      spans.push({ offset, bytes });
      parameters += elements;
    }
    const start = ((BigInt(this.#at) + alignment - 1n) / alignment) * alignment;
    spans.sort((a, b) => (a.offset < b.offset ? -1 : 1));
    let end = 0n;
    for (const span of spans) {
      if (span.offset < end) throw bad('tensors overlap');
      end = span.offset + span.bytes;
      if (start + end > this.#size) throw bad('a tensor ends beyond the file; the download may be incomplete');
    }
    return { parameters: Number(parameters) };
  }

  async #value(type: number, depth: number): Promise<unknown> {
    if (type === STRING) return this.#string(MAX_STRING_BYTES);
    if (type === ARRAY) {
      if (depth > 0) throw bad('arrays are nested');
      const itemType = (await this.#take(4)).readUInt32LE();
      const count = (await this.#take(8)).readBigUInt64LE();
      if (count > MAX_ARRAY_ITEMS || count > this.#size) throw bad(`an array claims ${count} items`);
      if (itemType === STRING) {
        await this.#skipStrings(Number(count));
        // Of a list of texts only its length is of use here.
        return Number(count);
      }
      const size = SIZES[itemType];
      if (!size) throw bad(`array type ${itemType} is unknown`);
      if (itemType === 5 || itemType === 4) {
        // Some models give one count per layer: the largest is what memory is planned for.
        let largest = 0;
        const bytes = count <= 4_096n ? await this.#take(Number(count) * 4) : undefined;
        if (!bytes) await this.#skip(Number(count) * size);
        else
          for (let index = 0; index < Number(count); index += 1)
            largest = Math.max(largest, bytes.readUInt32LE(index * 4));
        return bytes ? largest : null;
      }
      await this.#skip(Number(count) * size);
      return null;
    }
    const size = SIZES[type];
    if (!size) throw bad(`value type ${type} is unknown`);
    const bytes = await this.#take(size);
    switch (type) {
      case 0:
      case 7:
        return bytes.readUInt8();
      case 1:
        return bytes.readInt8();
      case 2:
        return bytes.readUInt16LE();
      case 3:
        return bytes.readInt16LE();
      case 4:
        return bytes.readUInt32LE();
      case 5:
        return bytes.readInt32LE();
      case 6:
        return bytes.readFloatLE();
      case 10:
        return Number(bytes.readBigUInt64LE());
      case 11:
        return Number(bytes.readBigInt64LE());
      default:
        return bytes.readDoubleLE();
    }
  }

  #number(values: Map<string, unknown>, key: string): number | null {
    const value = values.get(key);
    if (value === undefined || value === null) return null;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > 1_000_000_000)
      throw bad(`${key} is out of range`);
    return value;
  }

  async #length(limit: bigint): Promise<number> {
    const length = (await this.#take(8)).readBigUInt64LE();
    if (length > limit || length > this.#size) throw bad(`a string claims ${length} bytes`);
    return Number(length);
  }

  async #string(limit: bigint): Promise<string> {
    return (await this.#take(await this.#length(limit))).toString('utf8');
  }

  /** A vocabulary has hundreds of thousands of them: those that lie whole in the buffer cost no promise. */
  async #skipStrings(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      left -= this.#skipBuffered(left);
      if (left === 0) return;
      await this.#skip(await this.#length(MAX_STRING_BYTES));
      left -= 1;
    }
  }

  /** Stops before whatever is cut or looks wrong; the slow way says what it is. @returns how many were passed */
  #skipBuffered(most: number): number {
    const buffer = this.#buffer;
    let at = this.#at - this.#bufferAt;
    if (at < 0 || at > buffer.length) return 0;
    let passed = 0;
    while (passed < most && at + 8 <= buffer.length) {
      const length = buffer.readUInt32LE(at);
      const next = at + 8 + length;
      if (buffer.readUInt32LE(at + 4) !== 0 || next > buffer.length) break;
      at = next;
      passed += 1;
    }
    this.#at = this.#bufferAt + at;
    return passed;
  }

  async #skip(count: number): Promise<void> {
    this.#bound(count);
    this.#at += count;
  }

  #bound(count: number): void {
    if (BigInt(this.#at + count) > this.#size) throw bad('it ends within its header');
    if (this.#at + count > MAX_HEADER_BYTES) throw bad('its header is too large');
  }

  async #take(count: number): Promise<Buffer> {
    this.#bound(count);
    const from = this.#at - this.#bufferAt;
    if (from < 0 || from + count > this.#buffer.length) {
      const buffer = await this.#source.read(this.#at, Math.max(count, READ_AHEAD));
      if (buffer.length < count) throw bad('it ends within its header');
      this.#buffer = buffer;
      this.#bufferAt = this.#at;
      this.#at += count;
      return this.#buffer.subarray(0, count);
    }
    this.#at += count;
    return this.#buffer.subarray(from, from + count);
  }
}
